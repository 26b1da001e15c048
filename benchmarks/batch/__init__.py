"""What takes longer with many runs: shards of one input."""
