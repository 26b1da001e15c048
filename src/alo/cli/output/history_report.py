"""A past run, and what differs between some, as people read it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from alo.cli.output.console import fit, one_line, table, width
from alo.cli.output.format import duration, short_path, size
from alo.history.diff import Differences, Form
from alo.history.record import RunRecord

LABEL_WIDTH = 13
LONGEST_CELL = 40  # columns
MOST_ROWS = 20  # of a section of differences; --json shows all
STEP_HEADERS = ("step", "status", "time", "CPU", "peak memory", "data keys added")


def run_lines(record: RunRecord, folder: str) -> Iterator[str]:
    """All that is known of a run.

    Args:
        folder: its entry; empty if it has none yet.
    """
    for label, text in _facts(record):
        if text:
            yield _labelled(label, text)
    yield from _list("changed", record.overrides)
    yield from _list("args", _args(record))
    yield from _list("packages", [f"{name} {version}" for name, version in record.packages.items()])
    if record.steps:
        yield ""
        rows = [
            (
                step.name,
                step.status,
                duration(step.seconds),
                duration(step.cpu_seconds),
                size(step.peak_bytes) if step.peak_bytes else "",
                ", ".join(step.data_keys),
            )
            for step in record.steps
        ]
        yield table(STEP_HEADERS, rows, right=(2, 3, 4))
    if folder:
        yield ""
        yield _labelled("entry", short_path(folder))


def _facts(record: RunRecord) -> Iterator[tuple[str, str]]:
    yield "id", record.id
    yield "pipeline", record.pipeline
    yield "status", f"{record.status} ({record.part})" if record.part else record.status
    yield "failed step", record.failed_step
    yield "reason", record.reason
    yield "started", record.start_time
    yield "ended", record.end_time
    yield "duration", duration(record.seconds) if record.seconds else ""
    yield "result", record.result
    yield "score", "" if record.score is None else f"{record.score:g}"
    yield "note", record.note
    yield "probability", ", ".join(f"{name}: {p:g}" for name, p in record.probability.items())
    yield "solution", f"{record.solution} {record.version}".strip()
    yield "data_id", f"{record.data_id}{_origin(record.data_id_description)}"
    yield "code_id", record.code_id
    yield "param_id", record.param_id
    yield "train_id", record.train_id
    yield "ALO", record.alo_version
    yield "Python", record.python
    yield "host", record.host
    yield "git", _git(record.git)


def _origin(description: Mapping[str, object]) -> str:
    files, sources = description.get("files"), description.get("sources")
    count = f"{len(files)} files" if isinstance(files, Mapping) and files else ""
    places = ", ".join(map(str, sources)) if isinstance(sources, list) else ""
    shown = " from ".join(filter(None, [count, places]))
    return f"  ({shown})" if shown else ""


def _git(state: Mapping[str, object]) -> str:
    dirty = " with changes that are not committed" if state.get("dirty") else ""
    return f"{state['commit']}{dirty}" if state.get("commit") else ""


def _args(record: RunRecord) -> list[str]:
    return [
        f"{step}.{key}: {_value(value)}"
        for step, args in record.args.items()
        for key, value in args.items()
    ]


def _list(label: str, texts: Sequence[str]) -> Iterator[str]:
    for number, text in enumerate(texts):
        yield _labelled("" if number else label, text)


def difference_lines(records: Sequence[RunRecord], shown: Differences) -> Iterator[str]:
    """A table a section, a column a run; the sections in which all runs are the same by name."""
    letters = [
        chr(ord("A") + number) if number < 26 else str(number + 1) for number in range(len(records))
    ]
    for letter, record in zip(letters, records, strict=True):
        yield f"{letter}  {record.id}"
    for section, rows in shown.items():
        if not rows:
            continue
        cells = [(name, *_values(values)) for name, values in rows.items()]
        yield ""
        yield table((section, *letters), _fitted(cells[:MOST_ROWS]))
        if len(cells) > MOST_ROWS:
            yield f"... and {len(cells) - MOST_ROWS} more; --json shows all"
    same = ", ".join(section for section, rows in shown.items() if not rows)
    if same:
        yield ""
        yield f"no difference in: {same}"


def _fitted(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[fit(one_line(cell), LONGEST_CELL) for cell in row] for row in rows]


def _values(values: Sequence[object]) -> list[str]:
    """As they read best; as JSON where 1 and "1" would look the same."""
    texts = [_value(value) for value in values]
    is_clear = len(set(texts)) > 1 or len(set(map(type, values))) == 1
    return texts if is_clear else [_value_in_full(value) for value in values]


def _value_in_full(value: object) -> str:
    return value if isinstance(value, Form) else json.dumps(value, default=str)


def _value(value: object) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _labelled(label: str, text: str) -> str:
    return f"{label}{' ' * max(LABEL_WIDTH - width(label), 2)}{one_line(text)}"
