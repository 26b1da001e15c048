"""A process that keeps a pipeline warm, and those that give it requests."""
