"""``alo sweep plot``: history, parallel coordinates and importance, as pages without network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import accumulate
from pathlib import Path
from typing import Any

from alo.batch.sweep.definition import MAX, Definition, Metric
from alo.batch.sweep.trials import COMPLETE, Trial
from alo.errors import UsageError
from alo.files import write_whole
from alo.plan.values import plan_form

WIDTH, HEIGHT, MARGIN = 820, 380, 60
BEST, OTHER, LINE = "#0b6e4f", "#5b7f95", "#c9d3da"


def plot(definition: Definition, trials: Mapping[int, Trial], folder: Path) -> list[Path]:
    """Write a page for each picture; returns their paths.

    Raises:
        UsageError: no trial is complete, so there is nothing to draw.
        OSError: they cannot be written.
    """
    done = [each for _, each in sorted(trials.items()) if each.state == COMPLETE]
    if not done:
        raise UsageError(
            f"sweep '{definition.name}' has no complete trial to draw",
            fix=f"alo sweep show {definition.name} says what became of them",
        )
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {
        "history": _history(definition, done),
        "parallel": _parallel(definition, done),
        "importance": _importance(definition, done),
    }
    written = []
    for name, svg in pictures.items():
        path = folder / f"{name}.html"
        write_whole(path, _page(definition, name, svg, done).encode("utf-8", "replace"))
        written.append(path)
    return [*written, *_with_matplotlib(definition, done, folder)]


def importance(definition: Definition, trials: Sequence[Trial]) -> dict[str, float]:
    """Of each param, how much of the first metric's variance its value alone explains, 0 to 1.

    Values of a range are put into at most eight groups of equal size; the share is that of the
    variance between the groups (correlation ratio η²).
    """
    results = [each.results[definition.metrics[0].name] for each in trials]
    mean = math.fsum(results) / len(results)
    total = math.fsum((each - mean) ** 2 for each in results)
    found: dict[str, float] = {}
    for param in definition.params:
        groups: dict[object, list[float]] = {}
        for group, result in zip(
            _groups([each.values[param.name] for each in trials]), results, strict=True
        ):
            groups.setdefault(group, []).append(result)
        between = math.fsum(
            len(each) * (math.fsum(each) / len(each) - mean) ** 2 for each in groups.values()
        )
        found[param.name] = between / total if total else 0.0
    return found


def _groups(values: Sequence[object]) -> list[object]:
    forms = [plan_form(value) for value in values]
    numbers = [each for each in values if isinstance(each, int | float)]
    most = max(2, min(8, len(values) // 4))
    if len(numbers) < len(values) or len(set(forms)) <= most:
        return list(forms)
    order = sorted(range(len(values)), key=lambda at: float(numbers[at]))
    groups: list[object] = [0] * len(values)
    for rank, at in enumerate(order):
        groups[at] = rank * most // len(values)
    return groups


def _history(definition: Definition, trials: Sequence[Trial]) -> str:
    metric = definition.metrics[0]
    results = [each.results[metric.name] for each in trials]
    x = _scale(0, max(1, len(trials) - 1), MARGIN, WIDTH - MARGIN)
    y = _scale(min(results), max(results), HEIGHT - MARGIN, MARGIN)
    best = _best_so_far(metric, results)
    steps = [f"{x(number):.1f},{y(each):.1f}" for number, each in enumerate(best)]
    dots = []
    for number, (trial, result) in enumerate(zip(trials, results, strict=True)):
        title = f"trial {trial.number}: {result:.6g}"
        dots.append(
            f'<circle cx="{x(number):.1f}" cy="{y(result):.1f}" r="4" fill="{OTHER}">'
            f"<title>{escape(title)}</title></circle>"
        )
    axis = _axis_y(min(results), max(results), y)
    line = f'<polyline fill="none" stroke="{BEST}" stroke-width="2" points="{" ".join(steps)}"/>'
    return _svg(axis + line + "".join(dots), f"{metric.name} by trial; the line is the best so far")


def _best_so_far(metric: Metric, results: Sequence[float]) -> list[float]:
    return list(accumulate(results, max if metric.direction == MAX else min))


def _lines_of(
    definition: Definition, trials: Sequence[Trial]
) -> tuple[list[str], list[list[float]], list[float]]:
    """Of parallel coordinates: the axes, where each trial is on them, how strong its line is."""
    metric = definition.metrics[0]
    names = [*[param.name for param in definition.params], metric.name]
    shares = [_shares([_of(trial, name, metric.name) for trial in trials]) for name in names]
    results = [each.results[metric.name] for each in trials]
    rank = _scale(min(results), max(results), 0.15, 1)
    is_max = metric.direction == MAX
    strengths = [rank(each) if is_max else 1.15 - rank(each) for each in results]
    return names, shares, strengths


def _parallel(definition: Definition, trials: Sequence[Trial]) -> str:
    metric = definition.metrics[0]
    names, shares, strengths = _lines_of(definition, trials)
    x = _scale(0, max(1, len(names) - 1), MARGIN, WIDTH - MARGIN)
    parts = []
    for at, (trial, strength) in enumerate(zip(trials, strengths, strict=True)):
        points = " ".join(
            f"{x(column):.1f},{HEIGHT - MARGIN - share[at] * (HEIGHT - 2 * MARGIN):.1f}"
            for column, share in enumerate(shares)
        )
        parts.append(
            f'<polyline fill="none" stroke="{BEST}" stroke-opacity="{strength:.2f}" '
            f'points="{points}"><title>trial {trial.number}</title></polyline>'
        )
    for column, name in enumerate(names):
        left = x(column)
        parts.append(
            f'<line x1="{left:.1f}" x2="{left:.1f}" y1="{MARGIN}" y2="{HEIGHT - MARGIN}" '
            f'stroke="{LINE}"/><text x="{left:.1f}" y="{HEIGHT - 30}" text-anchor="middle">'
            f"{escape(name)}</text>"
        )
    return _svg("".join(parts), f"each line is a trial; the darker, the better its {metric.name}")


def _importance(definition: Definition, trials: Sequence[Trial]) -> str:
    found = _by_importance(definition, trials)
    parts = []
    room = (HEIGHT - 2 * MARGIN) / max(1, len(found))
    for at, (name, share) in enumerate(found):
        top = MARGIN + at * room
        parts.append(
            f'<rect x="220" y="{top:.1f}" width="{share * (WIDTH - 320):.1f}" '
            f'height="{room * 0.6:.1f}" fill="{BEST}"/>'
            f'<text x="210" y="{top + room * 0.4:.1f}" text-anchor="end">{escape(name)}</text>'
            f'<text x="{230 + share * (WIDTH - 320):.1f}" y="{top + room * 0.4:.1f}">'
            f"{share:.0%}</text>"
        )
    name = definition.metrics[0].name
    return _svg("".join(parts), f"share of the variance of {name} that each arg explains by itself")


def _by_importance(definition: Definition, trials: Sequence[Trial]) -> list[tuple[str, float]]:
    return sorted(importance(definition, trials).items(), key=lambda each: -each[1])


def _of(trial: Trial, name: str, metric: str) -> object:
    return trial.results[name] if name == metric else trial.values[name]


def _shares(column: Sequence[object]) -> list[float]:
    """Where each value is between the least and the most."""
    numbers = [float(each) for each in column if isinstance(each, int | float)]
    if len(numbers) < len(column):
        order = sorted({plan_form(each) for each in column})
        numbers = [float(order.index(plan_form(each))) for each in column]
    scale = _scale(min(numbers), max(numbers), 0, 1)
    return [scale(each) for each in numbers]


class _Scale:
    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self._low, self._start = low, start
        self._factor = (end - start) / (high - low) if high > low else 0.0

    def __call__(self, value: float) -> float:
        return self._start + (value - self._low) * self._factor


def _scale(low: float, high: float, start: float, end: float) -> _Scale:
    return _Scale(low, high, start, end)


def _axis_y(low: float, high: float, y: _Scale) -> str:
    marks = [low, (low + high) / 2, high] if high > low else [low]
    return "".join(
        f'<line x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{y(mark):.1f}" y2="{y(mark):.1f}" '
        f'stroke="{LINE}"/><text x="{MARGIN - 6}" y="{y(mark) + 4:.1f}" text-anchor="end">'
        f"{mark:.4g}</text>"
        for mark in marks
    )


def _svg(content: str, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12"><title>{escape(title)}</title>'
        f"{content}</svg>"
    )


def _page(definition: Definition, name: str, svg: str, trials: Sequence[Trial]) -> str:
    heads = ["trial", *[each.name for each in definition.metrics]]
    heads += [each.name for each in definition.params]
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(str(cell))}</td>"
            for cell in (
                trial.number,
                *[f"{trial.results[each.name]:.6g}" for each in definition.metrics],
                *[plan_form(trial.values[each.name]) for each in definition.params],
            )
        )
        + "</tr>"
        for trial in trials
    )
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    title = escape(f"Sweep {definition.name}: {name}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        "<style>body{font:14px system-ui,sans-serif;margin:2rem}svg{max-width:60rem;width:100%}"
        "td,th{padding:.1rem .6rem;text-align:left}</style>"
        f"<h1>{title}</h1>{svg}<details><summary>Numbers</summary>"
        f"<table><tr>{head}</tr>{rows}</table></details></html>\n"
    )


def _with_matplotlib(definition: Definition, trials: Sequence[Trial], folder: Path) -> list[Path]:
    """The same pictures as PNG, where matplotlib is installed."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return []
    draws = {"history": _draw_history, "parallel": _draw_parallel, "importance": _draw_importance}
    written = []
    for name, draw in draws.items():
        figure = Figure(figsize=(8, 4), layout="constrained")
        FigureCanvasAgg(figure)
        draw(definition, trials, figure.add_subplot())
        written.append(folder / f"{name}.png")
        figure.savefig(written[-1])
    return written


def _draw_history(definition: Definition, trials: Sequence[Trial], axes: Any) -> None:
    metric = definition.metrics[0]
    numbers = [each.number for each in trials]
    results = [each.results[metric.name] for each in trials]
    axes.plot(numbers, results, "o", color=OTHER)
    axes.plot(numbers, _best_so_far(metric, results), color=BEST)
    axes.set_xlabel("trial")
    axes.set_ylabel(_plain(metric.name))


def _draw_parallel(definition: Definition, trials: Sequence[Trial], axes: Any) -> None:
    names, shares, strengths = _lines_of(definition, trials)
    for at, strength in enumerate(strengths):
        axes.plot([each[at] for each in shares], color=BEST, alpha=min(1.0, strength))
    axes.set_xticks(range(len(names)), [_plain(name) for name in names])
    axes.set_yticks([])


def _draw_importance(definition: Definition, trials: Sequence[Trial], axes: Any) -> None:
    found = _by_importance(definition, trials)[::-1]  # the largest on top
    axes.barh([_plain(name) for name, _ in found], [share for _, share in found], color=BEST)
    axes.set_xlim(0, 1)


def _plain(name: str) -> str:
    """A name that is drawn as it is: between dollars, matplotlib reads mathematics."""
    return name.replace("$", r"\$")
