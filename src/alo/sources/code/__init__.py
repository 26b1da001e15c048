"""The code of steps: found, told from its text, imported."""
