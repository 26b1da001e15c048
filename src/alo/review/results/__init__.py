"""What of a run is reviewed: the records of its results, their inputs, and copies of these."""
