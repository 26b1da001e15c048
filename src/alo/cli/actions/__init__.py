"""What the words after a command do: the actions of ``history``, ``review``, ``models``."""
