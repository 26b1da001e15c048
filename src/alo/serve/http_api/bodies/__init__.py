"""What clients send over HTTP, on its way to being input data."""
