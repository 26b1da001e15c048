"""SVG drawn on the server: the steps of a run, times, scores."""
