"""Draw how good a model is: report.png, and report.html that explains it."""

from html import escape
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure  # without pyplot: no windows, no global state
from sklearn.metrics import auc, confusion_matrix, roc_curve

BLUE, GREY = "#2563eb", "#9ca3af"

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Train report</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; }}
  img {{ max-width: 100%; }}
</style>
<h1>Train report</h1>
<p>{model}: <b>{right} of {total}</b> held-out patients were classified correctly.
It missed <b>{missed}</b> of the {positives} who are {positive},
and raised a false alarm for <b>{alarms}</b>.</p>
<img src="report.png" alt="ROC curve, confusion matrix and the most important measurements">
</html>
"""


def write_report(folder, model, x, y, probability, positive):
    """Write report.png and report.html into ``folder``.

    Args:
        x, y: measurements and truth (True: positive) of n patients.
        probability: shape (n,), what the model says about them.
        positive: the name of the positive class.
    """
    counts = confusion_matrix(y, probability >= 0.5)  # rows: truth, columns: prediction
    figure = Figure(figsize=(14, 4.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    draw_roc(left, y, probability)
    draw_confusion(middle, counts, positive)
    draw_importance(right, model, x.columns)
    figure.savefig(Path(folder) / "report.png", dpi=110)

    (_, alarms), (missed, _) = counts
    page = PAGE.format(
        model=type(model).__name__,
        right=np.trace(counts),
        total=counts.sum(),
        missed=missed,
        alarms=alarms,
        positives=counts[1].sum(),
        positive=escape(positive),
    )
    (Path(folder) / "report.html").write_text(page, encoding="utf-8")


def draw_roc(axes, y, probability):
    false_alarms, found, _ = roc_curve(y, probability)
    axes.plot(false_alarms, found, color=BLUE)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":")
    axes.set_title(f"ROC curve (area {auc(false_alarms, found):.3f})")
    axes.set_xlabel("false alarms")
    axes.set_ylabel("found")


def draw_confusion(axes, counts, positive):
    axes.imshow(counts, cmap="Blues")
    for (row, column), count in np.ndenumerate(counts):
        dark = count > counts.max() / 2
        axes.text(column, row, count, ha="center", va="center", color="white" if dark else "black")
    names = [f"not {positive}", positive]
    axes.set_xticks([0, 1], names)
    axes.set_yticks([0, 1], names, rotation=90, va="center")
    axes.set_title("Confusion matrix")
    axes.set_xlabel("prediction")
    axes.set_ylabel("truth")


def draw_importance(axes, model, columns, shown=10):
    """The columns are on one scale, so coefficients can be compared with each other."""
    linear = hasattr(model, "coef_")
    weight = np.abs(model.coef_[0]) if linear else model.feature_importances_
    order = np.argsort(weight)[-shown:]
    axes.barh(np.asarray(columns)[order], weight[order], color=BLUE)
    axes.set_title("Most important measurements")
