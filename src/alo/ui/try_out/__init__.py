"""Sending data to the inference pipeline from the studio: to a service, or to one of its own."""
