"""``alo serve``: the inference pipeline over HTTP."""
