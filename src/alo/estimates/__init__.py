"""Shares that were seen in samples: how sure they are, and whether one is less than another."""
