"""YAML: its text as nodes with line and column, nodes as values, and values as text again."""
