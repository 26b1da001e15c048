"""Sharded inference: a large input cut into pieces that are answered each by a run of its own."""
