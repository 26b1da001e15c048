"""Gaussian naive Bayes with the standard library; a helper module of the assets.

In your own solution you would rather use ``sklearn.naive_bayes.GaussianNB``.
"""

from math import exp, log
from statistics import NormalDist, fmean, stdev

SMALLEST_STDEV = 1e-3  # a column that never varies must not decide alone


def learn(rows, classes):
    """What each column looks like in each class: {class: {"share": s, "columns": [(mean, stdev), ...]}}."""
    model = {}
    for name in sorted(set(classes)):
        members = [row for row, row_class in zip(rows, classes, strict=True) if row_class == name]
        model[name] = {
            "share": len(members) / len(rows),
            "columns": [(fmean(c), max(stdev(c), SMALLEST_STDEV)) for c in zip(*members, strict=True)],
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
