"""The history of runs: an entry for each, an index of all, and what of it is deleted when."""
