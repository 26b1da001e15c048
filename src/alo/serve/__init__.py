"""Keep the inference pipeline warm and answer requests: one core, and doors to it."""
