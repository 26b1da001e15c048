"""The report at the end of a run: its steps, the lines to show, the summary, and where it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from alo.cli.output.console import one_line, table, width
from alo.cli.output.format import duration, short_path, size
from alo.events.types import RunFinished, StepFinished

HEADERS = ("step", "time", "CPU", "peak memory", "data keys added")
LABEL_WIDTH = 13
SHOWN_CLASSES = 10  # of the probabilities; an asset may have thousands


def run_report(
    run: RunFinished, steps: Sequence[StepFinished], shown: Sequence[tuple[str, str]]
) -> Iterator[str]:
    """Its lines.

    Args:
        shown: step and text of each log line that was saved with ``show=True``.
    """
    exported = [("exported", path) for path in run.exported]
    if run.status != "success":
        ended = "failed" if run.status == "error" else "was interrupted"
        yield f"{run.pipeline} {ended} after {duration(run.seconds)}"
        yield from _places(("history", run.history), *exported)
        return
    yield _step_table(steps)
    for step, text in shown:
        yield _labelled(step, text)
    if run.summary is not None:
        yield from _summary_lines(run.summary)
    yield from _places(("artifacts", run.artifacts), ("history", run.history), *exported)


def _step_table(steps: Sequence[StepFinished]) -> str:
    rows = [_row(step) for step in steps]
    if not any(step.note for step in steps):
        return table(HEADERS, rows, right=(1, 2, 3))
    rows = [(*row, step.note) for row, step in zip(rows, steps, strict=True)]
    return table((*HEADERS, "cache"), rows, right=(1, 2, 3))


def _row(step: StepFinished) -> tuple[str, ...]:
    peak = size(step.peak_bytes) if step.peak_bytes else ""
    return (
        step.step,
        duration(step.seconds),
        duration(step.cpu_seconds),
        peak,
        ", ".join(step.keys_added),
    )


def _summary_lines(summary: Mapping[str, object]) -> Iterator[str]:
    yield _labelled("result", f"{summary['result']}  (score {summary['score']})")
    if summary.get("note"):
        yield _labelled("note", str(summary["note"]))
    probability = summary.get("probability")
    if isinstance(probability, Mapping) and probability:
        shares = [f"{name}: {value}" for name, value in list(probability.items())[:SHOWN_CLASSES]]
        more = ["..."] if len(probability) > SHOWN_CLASSES else []
        yield _labelled("probability", ", ".join(shares + more))


def _places(*places: tuple[str, str]) -> Iterator[str]:
    for label, path in places:
        if path:
            yield _labelled(label, short_path(path))


def _labelled(label: str, text: str) -> str:
    label = one_line(label)
    return f"{label}{' ' * max(LABEL_WIDTH - width(label), 2)}{one_line(text)}"
