"""What differs between two or more runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from alo.history.record import RunRecord
from alo.plan.values import plan_form

Differences: TypeAlias = dict[str, dict[str, list[object]]]  # section -> what -> a value a run

ALWAYS_SHOWN = ("summary", "step seconds")  # a reader wants these also where they are the same
_ABSENT: Any = object()


class Form(str):
    """The replacement for a value that JSON has no word for: a date, NaN, a mapping of numbers."""


def differences(records: Sequence[RunRecord], *, everything: bool = False) -> Differences:
    """The values that are not the same in all runs, in sections; None where a run has none.

    Args:
        everything: those that are the same, too.
    """
    found: Differences = {}
    for section, of_each in _sections(records):
        names = dict.fromkeys(name for values in of_each for name in values)
        rows = {name: [values.get(name, _ABSENT) for values in of_each] for name in names}
        found[section] = {
            name: [None if value is _ABSENT else value for value in row]
            for name, row in rows.items()
            if everything or section in ALWAYS_SHOWN or _differ(row)
        }
    return found


def _differ(row: Iterable[object]) -> bool:
    return len({_ABSENT if value is _ABSENT else _form(value) for value in row}) > 1


def _form(value: object) -> str:
    return value if isinstance(value, Form) else plan_form(value)


def _sections(
    records: Sequence[RunRecord],
) -> Iterable[tuple[str, list[Mapping[str, object]]]]:
    yield "ids", [_ids(record) for record in records]
    yield "args", [_args(record) for record in records]
    yield "code", [_files(record.code_id_description) for record in records]
    yield "data", [_files(record.data_id_description) for record in records]
    yield "environment", [_environment(record) for record in records]
    yield "summary", [_summary(record) for record in records]
    yield "step seconds", [{step.name: step.seconds for step in each.steps} for each in records]


def _ids(record: RunRecord) -> dict[str, object]:
    names = ("pipeline", "solution", "version", "data_id", "code_id", "param_id", "train_id")
    return {name: getattr(record, name) for name in names}


def _args(record: RunRecord) -> dict[str, object]:
    return {
        f"{step}.{key}": _exact(record, step, key, value)
        for step, args in record.args.items()
        for key, value in args.items()
    }


def _exact(record: RunRecord, step: str, key: str, value: object) -> object:
    form = record.arg_forms.get(step, {}).get(key)
    return value if form is None else Form(form)


def _files(description: Mapping[str, object]) -> dict[str, object]:
    files = description.get("files")
    return dict(sorted(files.items())) if isinstance(files, Mapping) else {}


def _environment(record: RunRecord) -> dict[str, object]:
    return {
        "python": record.python,
        "alo": record.alo_version,
        "host": record.host,
        **{f"git {name}": value for name, value in record.git.items()},
        **dict(sorted(record.packages.items())),
    }


def _summary(record: RunRecord) -> dict[str, object]:
    return {
        "status": record.status,
        "result": record.result,
        "score": record.score,
        "note": record.note,
        **{f"probability {name}": value for name, value in record.probability.items()},
    }
