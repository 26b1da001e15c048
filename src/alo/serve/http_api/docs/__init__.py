"""What a service says of itself: its OpenAPI description, and the page to try it on."""
