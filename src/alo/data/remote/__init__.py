"""Data in object stores and behind HTTP."""
