"""What is checked before a run changes anything, and of its results at its end."""
