"""Server-sent events: runs, jobs and requests as they happen."""
