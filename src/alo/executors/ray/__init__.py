"""Runs on a Ray cluster: Ray lives in a process of its own, and actors do the tasks."""
