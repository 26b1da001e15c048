"""What a screen gives back, and how it becomes a response: HTML in a language, JSON, CSV, files."""
