"""Gaussian naive Bayes with the standard library; train and inference each have this file.

In your own solution you would rather use ``sklearn.naive_bayes.GaussianNB``.
"""

from math import exp, log
from statistics import fmean, stdev

SMALLEST_STDEV = 1e-3  # a column that never varies must not decide alone


def learn(rows, classes):
    """What is usual in each class: {class: {"share": s, "columns": [(mean, stdev), ...]}}."""
    model = {}
    for name in sorted(set(classes)):
        members = [row for row, of_row in zip(rows, classes, strict=True) if of_row == name]
        columns = zip(*members, strict=True)
        model[name] = {
            "share": len(members) / len(rows),
            "columns": [(fmean(column), max(stdev(column), SMALLEST_STDEV)) for column in columns],
        }
    return model


def classify(model, row):
    """The probability of each class for one row: {class: probability}."""
    likelihood = {
        name: log(kind["share"]) + sum(map(log_density, row, kind["columns"]))
        for name, kind in model.items()
    }
    highest = max(likelihood.values())
    weight = {name: exp(value - highest) for name, value in likelihood.items()}
    total = sum(weight.values())
    return {name: value / total for name, value in weight.items()}


def log_density(value, column):
    """How usual a value is by the normal distribution; in logarithms, as a density may be tiny."""
    mean, deviation = column
    return -(((value - mean) / deviation) ** 2) / 2 - log(deviation)
