"""Data from outside and artifacts to outside: staging, export, archives, locations."""
