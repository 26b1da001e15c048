"""What a step does to the process ends with it."""
