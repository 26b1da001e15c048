"""Tables as they are in the wild: in which encoding they are, where their records end."""
