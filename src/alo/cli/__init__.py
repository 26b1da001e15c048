"""The command line: parsers, commands, and what they print."""
