"""What happens in a run: the events, the log files and lines that are made of them."""
