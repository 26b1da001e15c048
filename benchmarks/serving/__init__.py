"""Requests over HTTP and Redis."""
