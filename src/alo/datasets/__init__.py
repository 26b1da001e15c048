"""Data sets: frozen, versioned folders that are made of decisions and of what was there before."""
