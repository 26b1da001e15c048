"""One file for each screen: what it shows, from the URL that asks for it."""
