"""One step: what it is given, where it runs, what it saves, and what its result depends on."""
