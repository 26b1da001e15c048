"""From results to a better model: reviews of runs, data sets of reviews, models of data sets."""
