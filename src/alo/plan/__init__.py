"""The plan: read with line and column, checked, typed, and written out again."""
