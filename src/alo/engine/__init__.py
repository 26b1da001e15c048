"""Runs pipelines: what to run, what it needs, one session, its steps, its outputs."""
