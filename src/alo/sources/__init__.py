"""Where a step's code and the packages that it requires come from."""
