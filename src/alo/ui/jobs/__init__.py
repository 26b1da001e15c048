"""Runs that the studio starts: what is queued, runs, and has ended."""
