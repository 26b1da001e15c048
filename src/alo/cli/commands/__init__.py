"""The commands of ``alo``: a file for each."""
