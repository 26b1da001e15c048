"""The index of all runs, in SQLite: it can be deleted at any time, and is made again."""
