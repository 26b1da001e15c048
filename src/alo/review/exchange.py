"""Decisions and records of a review in files: CSV, JSON lines, and the JSON of Label Studio."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from alo.errors import UsageError
from alo.plan.suggest import listed
from alo.review.decisions import ACCEPT, ACCEPTED, CHANGE, CHANGED, NewDecision
from alo.review.rows import ItemShown
from alo.tables.reading import columns_of, is_table, read_table
from alo.tables.spreadsheet import disarmed, text_of
from alo.texts import is_whole_number

CSV, JSON_LINES, LABEL_STUDIO = "csv", "jsonl", "label-studio"
FORMATS = (CSV, JSON_LINES, LABEL_STUDIO)
COLUMNS = (
    "record", "content", "run", "predicted", "certainty", "label", "state", "source", "stratum",
    "weight", "note", "by", "at", "seen",
)  # fmt: skip
DECISION_KEYS = ("key", "record", "verdict", "label", "note", "seen")
JSON = (".json", ".jsonl")  # endings of files that are no tables, whatever is in them
HEAD = 10_000  # bytes, in which a file has to begin
EXPORTED = "take a CSV, JSON lines, or what Label Studio exports as JSON"
ONE_A_LINE = "a file of decisions ends with .csv, or has one JSON object a line"
CONTROL, TO_NAME = "label", "record"  # of Label Studio's results


def export_text(
    items: Iterable[ItemShown], form: str, given: Mapping[str, Mapping[str, str]] | None = None
) -> str:
    """Records with what was said of them.

    Args:
        form: one of `FORMATS`.
        given: what the model was given for a record, by column: whoever labels has to see it.
    """
    rows = [item.to_json() for item in items]
    inputs = [(given or {}).get(str(row["record"]), {}) for row in rows]
    if form == CSV:
        return _table_text(rows, inputs)
    if form == JSON_LINES:
        lines = [
            row | ({"input": dict(each)} if each else {})
            for row, each in zip(rows, inputs, strict=True)
        ]
        return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    tasks = [_task(row, each) for row, each in zip(rows, inputs, strict=True)]
    return json.dumps(tasks, ensure_ascii=False, indent=1) + "\n"


def _table_text(rows: Sequence[Mapping[str, object]], inputs: Sequence[Mapping[str, str]]) -> str:
    """A CSV: what was said of each record, then what the model was given for it."""
    names = list(dict.fromkeys(name for each in inputs for name in each))
    headers = list(COLUMNS)
    for name in names:
        while name in headers:  # a column of the input that is called `label`, say
            name = f"input.{name}"
        headers.append(name)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(_cell, headers))
    for row, each in zip(rows, inputs, strict=True):
        cells = [*(row[name] for name in COLUMNS), *(each.get(name) for name in names)]
        writer.writerow(map(_cell, cells))
    return text.getvalue()


def read_decisions(path: Path, items: Mapping[str, ItemShown]) -> list[NewDecision]:
    """The decisions of a file: of CSV or JSON lines, with the keys of `DECISION_KEYS`.

    Args:
        items: the records that are known, by id: without ``seen`` the last decision counts as
            seen.
    Raises:
        UsageError: the file cannot be read, or lacks a key.
    """
    rows = _rows(path)
    for number, row in enumerate(rows, 1):
        for key in ("record", "verdict"):
            if not row.get(key):
                raise UsageError(
                    f"decision {number} has no '{key}'",
                    where=str(path),
                    fix=f"columns, or keys: {', '.join(DECISION_KEYS)}",
                )
    return [_decision(row, items, path, number) for number, row in enumerate(rows, 1)]


def read_labels(path: Path, items: Mapping[str, ItemShown]) -> list[NewDecision]:
    """The labels of a file that another program made, as decisions.

    The file is one that was exported, with other labels in it, or the JSON that Label Studio
    exports: its content says which, whatever it is called. A label that is the prediction accepts
    it; a record without one is left out. What was exported says what had been decided by then: a
    label that someone has given since is in conflict with that of the file. Of a file that does
    not say it, the last decision counts as seen.

    Raises:
        UsageError: the file cannot be read, or is none of these.
    """
    if not is_table(path) and _begins_with(path) == b"[":
        return list(_of_tasks(path, items))
    found: list[NewDecision] = []
    rows = _rows(path)
    for number, row in enumerate(rows, 1):
        record = str(row.get("record") or "")
        if not record:
            raise UsageError(f"row {number} has no 'record'", where=str(path), fix=EXPORTED)
        if label := row.get("label"):
            seen = _seen_of(row, items.get(record), f"row {number}", path)
            note = str(row["note"] or "") if "note" in row else None
            found.append(_labelled(record, str(label), note, seen, items))
    if rows and not any("label" in row for row in rows):
        raise UsageError(
            "no row has a 'label'",
            where=str(path),
            fix=f"call what holds it so; the first row has {listed(rows[0]) or 'nothing'}",
        )
    return found


def _rows(path: Path) -> list[Mapping[str, object]]:
    try:
        if is_table(path) or _is_other_table(path):
            table = read_table(path)
            return [dict(zip(table.columns, map(text_of, row), strict=False)) for row in table.rows]
        lines = path.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error
    found: list[Mapping[str, object]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            content = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(
                f"line {number} is no JSON",
                where=str(path),
                fix=ONE_A_LINE,
            ) from error
        if not isinstance(content, dict):
            raise UsageError(f"line {number} is no JSON object", where=str(path), fix=ONE_A_LINE)
        found.append(content)
    return found


def _unreadable(path: Path, error: Exception) -> UsageError:
    return UsageError(
        f"the file cannot be read: {error}",
        where=str(path),
        fix="see that it is there, whole, and in UTF-8",
    )


def _begins_with(path: Path) -> bytes:
    """The first byte of a file that is no space; empty: it has none."""
    try:
        with open(path, "rb") as file:
            return file.read(HEAD).removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    except OSError as error:
        raise _unreadable(path, error) from error


def _is_other_table(path: Path) -> bool:
    """Whether a file is a table though its name does not say so."""
    if path.suffix.lower() in JSON or _begins_with(path) in (b"", b"[", b"{"):
        return False
    if "record" not in columns_of(path):
        raise UsageError(
            "the file is no table with a column 'record', and no JSON",
            where=str(path),
            fix=EXPORTED,
        )
    return True


def _decision(
    row: Mapping[str, object], items: Mapping[str, ItemShown], path: Path, number: int
) -> NewDecision:
    record, verdict = str(row["record"]), str(row["verdict"])
    label = str(row["label"]) if row.get("label") and verdict == CHANGE else None
    note = str(row.get("note") or "")
    said = row if row.get("seen") else {}
    seen = _seen_of(said, items.get(record), f"decision {number}", path)
    key = str(row.get("key") or _key_of(record, verdict, label or "", note, seen))
    return NewDecision(key=key, record=record, verdict=verdict, label=label, note=note, seen=seen)


def _seen_of(
    said: Mapping[str, object], item: ItemShown | None, what: str, path: Path
) -> int | None:
    """The last decision that whoever made the file had seen; where nothing is said, that of now."""
    if "seen" not in said:
        return item.state.seen if item else None
    text = "" if said["seen"] is None else str(said["seen"])
    if text and not is_whole_number(text):
        raise UsageError(
            f"'seen' of {what} is no number",
            where=str(path),
            fix="write the number that the export has, or leave the column out",
        )
    return int(text) if text else None


def _labelled(
    record: str, label: str, note: str | None, seen: int | None, items: Mapping[str, ItemShown]
) -> NewDecision:
    """A label of a file as a decision: the one that stands, where it is the label already.

    Args:
        note: None where the file has no notes: then that of a label that stays stays, too.
    """
    item = items.get(record)
    standing = item.state if item is not None and item.label == label else None
    if standing is not None and standing.state in (ACCEPTED, CHANGED):
        is_prediction = standing.state == ACCEPTED
        note = standing.note if note is None else note
    else:
        is_prediction = item is not None and label == item.record.predicted
    note = note or ""
    verdict = ACCEPT if is_prediction else CHANGE
    return NewDecision(
        key=_key_of(record, verdict, label, note, seen),
        record=record,
        verdict=verdict,
        label=None if is_prediction else label,
        note=note,
        seen=seen,
    )


def _key_of(*parts: object) -> str:
    """The same decision has the same key each time that the file is read."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _cell(value: object) -> object:
    """As a table has it."""
    return "" if value is None else disarmed(value)


def _task(row: Mapping[str, object], given: Mapping[str, str]) -> dict[str, object]:
    """A task of Label Studio: the record, the prediction, and the label as an annotation.

    Who gave the label is in ``meta``: as ``completed_by``, Label Studio takes its own people alone.
    """
    task: dict[str, object] = {
        "data": {
            **given,
            "record": row["record"],
            "content": row["content"],
            "predicted": row["predicted"],
            "certainty": row["certainty"],
        },
        "predictions": [{"result": [_choice(row["predicted"])], "score": row["certainty"]}],
        "annotations": [],
        "meta": {"by": row["by"], "seen": row["seen"]},
    }
    if row["label"] is not None:
        task["annotations"] = [{"result": [_choice(row["label"])]}]
    return task


def _choice(label: object) -> dict[str, object]:
    return {
        "from_name": CONTROL,
        "to_name": TO_NAME,
        "type": "choices",
        "value": {"choices": [label]},
    }


def _of_tasks(path: Path, items: Mapping[str, ItemShown]) -> Iterable[NewDecision]:
    try:
        tasks = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, error) from error
    if not isinstance(tasks, list):
        raise UsageError("the file is no list of tasks", where=str(path), fix=EXPORTED)
    for number, task in enumerate(tasks, 1):
        try:
            record = str(task["data"]["record"])
            annotations = [each for each in task["annotations"] if not each.get("was_cancelled")]
            labels = _choices(annotations[-1]["result"]) if annotations else []
            meta = dict(task.get("meta") or {})
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise UsageError(
                f"task {number} has no data.record, or annotations of another kind",
                where=str(path),
                fix="import what Label Studio exports as JSON, of tasks that ALO exported",
            ) from error
        if len(labels) > 1:
            raise UsageError(
                f"task {number} has more than one label",
                where=str(path),
                fix="leave one of them in Label Studio, and export it again",
            )
        if labels:
            seen = _seen_of(meta, items.get(record), f"task {number}", path)
            yield _labelled(record, labels[0], None, seen, items)


def _choices(results: Sequence[Mapping[str, Mapping[str, Sequence[str]]]]) -> list[str]:
    return [str(label) for each in results for label in each["value"].get("choices", ())]
