"""Many train runs with other args, to find the best: ``alo sweep``."""
