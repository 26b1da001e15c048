"""Reviews, data sets, retraining; how good their estimates are."""
