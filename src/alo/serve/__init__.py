"""Keep the inference pipeline warm and answer requests: one core, and front ends to it."""
