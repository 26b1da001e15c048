"""The code of steps: found, inspected as text, imported."""
