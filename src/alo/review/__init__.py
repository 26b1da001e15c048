"""What people said of results: queues, decisions, and how accurate the model is by them."""
