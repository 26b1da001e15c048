"""The entries of history: how they are made, named, sealed, verified and removed."""
