"""Code that comes from git repositories."""
