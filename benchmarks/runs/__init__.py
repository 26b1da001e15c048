"""Runs: what a start, a step, a print, the cache and a process of a step cost."""
