"""What a terminal or a script gets to see."""
