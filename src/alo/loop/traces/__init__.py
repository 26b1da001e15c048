"""One id followed through everything, forwards and backwards: ``alo trace``, ``/trace/{id}``."""
