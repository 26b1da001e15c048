"""Large files read in pieces: tables by pages, texts by windows, pictures as thumbnails."""
