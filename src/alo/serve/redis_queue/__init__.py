"""``alo run --loop``: requests from lists in Redis, and an HTTP server's requests through them."""
