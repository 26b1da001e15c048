"""What of a service's requests raises an alarm, what is noted of it, and whom it reports to."""
