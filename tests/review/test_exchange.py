"""Decisions travel in files: what was exported is read back, what makes no sense is said."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from alo.errors import UsageError
from alo.review.decisions import STATE_OF, RecordState
from alo.review.exchange import COLUMNS, export_text, read_decisions, read_labels
from alo.review.rows import ItemShown, StoredRecord


def item(
    at: int = 0, label: str | None = None, note: str = "", seen: int | None = None
) -> ItemShown:
    record = StoredRecord(
        at=at, content=f"c{at}", predicted="good", certainty=0.9, probabilities={}, source="random"
    )
    state = RecordState(
        state="changed" if label else "undecided", label=label, note=note, seen=seen, by="ada"
    )
    return ItemShown(id=f"run:{at}", record=record, state=state, label=label)


ITEMS = {each.id: each for each in (item(0), item(1, "bad", seen=7))}


def test_a_csv_has_a_row_for_each_record_and_no_formula_in_it() -> None:
    text = export_text([item(0, "bad", note="=1+1"), item(1)], "csv")

    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["record"] for row in rows] == ["run:0", "run:1"]
    assert (rows[0]["note"], rows[0]["label"], rows[1]["label"]) == ("'=1+1", "bad", "")


def test_a_csv_has_what_the_model_was_given_under_names_of_its_own(tmp_path: Path) -> None:
    given = {"run:0": {"patient": "P1", "label": "=x"}, "run:1": {"age": "7"}}

    text = export_text([item(0, "bad"), item(1)], "csv", given)

    one, other = csv.DictReader(io.StringIO(text))
    assert list(one) == [*COLUMNS, "patient", "input.label", "age"]
    assert (one["label"], one["patient"], one["input.label"], one["age"]) == (
        "bad",
        "P1",
        "'=x",
        "",
    )
    assert (other["patient"], other["age"]) == ("", "7")
    (tmp_path / "f.csv").write_text(text)
    (read,) = read_labels(tmp_path / "f.csv", ITEMS)
    assert (read.record, read.label) == ("run:0", "bad")


def test_json_lines_have_what_the_model_was_given() -> None:
    (line,) = export_text([item(0)], "jsonl", {"run:0": {"label": "1"}}).splitlines()

    assert json.loads(line) == item(0).to_json() | {"input": {"label": "1"}}


def test_json_lines_have_all_that_is_known() -> None:
    (line,) = export_text([item(0, "나쁨")], "jsonl").splitlines()

    assert json.loads(line) == item(0, "나쁨").to_json()
    assert "나쁨" in line


def test_label_studio_gets_tasks_with_predictions_and_annotations(tmp_path: Path) -> None:
    given = {"run:0": {"a": "1", "record": "of the table"}}

    text = export_text([item(0, "bad"), item(1)], "label-studio", given)

    tasks = json.loads(text)
    assert tasks[0]["data"]["a"] == "1"
    assert "completed_by" not in tasks[0]["annotations"][0]  # of Label Studio's own people alone
    assert "by" in tasks[0]["meta"]
    assert tasks[0]["data"]["record"] == "run:0"
    assert tasks[0]["predictions"][0]["result"][0]["value"]["choices"] == ["good"]
    assert tasks[0]["annotations"][0]["result"][0]["value"]["choices"] == ["bad"]
    assert tasks[1]["annotations"] == []
    (tmp_path / "tasks.json").write_text(text)
    (read,) = read_labels(tmp_path / "tasks.json", ITEMS)
    assert (read.record, read.verdict, read.label) == ("run:0", "change", "bad")


def test_an_annotation_that_was_cancelled_is_none(tmp_path: Path) -> None:
    task = {"data": {"record": "run:0"}, "annotations": [{"was_cancelled": True, "result": []}]}
    (tmp_path / "tasks.json").write_text(json.dumps([task]))

    assert read_labels(tmp_path / "tasks.json", ITEMS) == []


def test_a_label_that_is_the_prediction_accepts_it_and_one_that_is_missing_says_nothing(
    tmp_path: Path,
) -> None:
    (tmp_path / "f.csv").write_text("record,label\nrun:0,good\nrun:1,\nrun:9,good\n")

    read = read_labels(tmp_path / "f.csv", ITEMS)

    assert [(each.record, each.verdict, each.label) for each in read] == [
        ("run:0", "accept", None),
        ("run:9", "change", "good"),
    ]


def test_decisions_of_a_csv_have_seen_what_was_last_unless_they_say_otherwise(
    tmp_path: Path,
) -> None:
    (tmp_path / "f.csv").write_text(
        "key,record,verdict,label,note,seen\n,run:0,accept,,,\nk,run:1,change,good,hm,3\n"
        ",run:1,skip,good,,\n"
    )

    one, two, three = read_decisions(tmp_path / "f.csv", ITEMS)

    assert (one.seen, one.label, len(one.key)) == (None, None, 32)
    assert (two.key, two.seen, two.label, two.note) == ("k", 3, "good", "hm")
    assert (three.seen, three.label) == (7, None)


def test_the_same_file_has_the_same_keys_and_other_decisions_others(tmp_path: Path) -> None:
    (tmp_path / "f.jsonl").write_text(
        '{"record": "run:0", "verdict": "accept"}\n\n{"record": "run:0", "verdict": "flag"}\n'
    )

    keys = [[each.key for each in read_decisions(tmp_path / "f.jsonl", ITEMS)] for _ in range(2)]

    assert keys[0] == keys[1]
    assert len(set(keys[0])) == 2


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("f.csv", b"record\nrun:0\n", "decision 1 has no 'verdict'"),
        ("f.csv", b"verdict\naccept\n", "decision 1 has no 'record'"),
        ("f.csv", b"record,verdict,seen\nr,accept,x\n", "'seen' of decision 1 is no number"),
        ("f.csv", b"record,verdict,seen\nr,accept," + b"9" * 5000, "'seen' of decision 1"),
        ("f.jsonl", b"{}\nnonsense\n", "line 2 is no JSON"),
        ("f.jsonl", b"[1]\n", "line 1 is no JSON object"),
        ("f.jsonl", b"[" * 100_000, "line 1 is no JSON"),
        ("f.jsonl", b"\xff\xfe\xff", "cannot be read"),
        ("none.jsonl", None, "cannot be read"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_the_place(
    tmp_path: Path, name: str, content: bytes | None, what: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(UsageError, match=what):
        read_decisions(tmp_path / name, ITEMS)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("{}", "row 1 has no 'record'"),
        ('{"record": "r:0", "Label": "a"}', "no row has a 'label'"),
        ("[] []", "cannot be read"),
        ("nonsense", "line 1 is no JSON"),
        ('[{"data": {}}]', "task 1 has no data.record"),
        ('[{"data": {"record": "r"}, "annotations": [{"result": [1]}]}]', "of another kind"),
        (
            '[{"data": {"record": "r"}, "meta": {"seen": "x"}, "annotations":'
            ' [{"result": [{"value": {"choices": ["a"]}}]}]}]',
            "'seen' of task 1 is no number",
        ),
        ('[{"data": {"record": "r"}, "meta": "x", "annotations": []}]', "of another kind"),
        (
            '[{"data": {"record": "r"}, "annotations":'
            ' [{"result": [{"value": {"choices": ["a", "b"]}}]}]}]',
            "more than one label",
        ),
    ],
)
def test_tasks_that_make_no_sense_are_refused(tmp_path: Path, content: str, what: str) -> None:
    (tmp_path / "t.json").write_text(content)

    with pytest.raises(UsageError, match=what):
        read_labels(tmp_path / "t.json", ITEMS)


@pytest.mark.parametrize("label", ["-1", "=1+1", "'-1", "''@", "'", "'quoted'"])
def test_a_label_that_looks_like_a_formula_comes_back_from_a_csv(
    tmp_path: Path, label: str
) -> None:
    (tmp_path / "f.csv").write_text(export_text([item(0, label)], "csv"))

    (one,) = read_labels(tmp_path / "f.csv", ITEMS)

    assert one.label == label


def test_a_json_line_ends_at_a_line_feed_alone(tmp_path: Path) -> None:
    note = "one\u2028two\x85three"
    (tmp_path / "f.jsonl").write_text(export_text([item(0, "bad", note=note)], "jsonl"))

    (one,) = read_labels(tmp_path / "f.jsonl", ITEMS)

    assert one.note == note


@pytest.mark.parametrize(("form", "name"), [("csv", "f.csv"), ("jsonl", "f.jsonl"),
                                            ("label-studio", "f.json")])  # fmt: skip
@pytest.mark.parametrize("seen", [None, 7])
def test_labels_of_an_export_have_seen_what_was_decided_when_it_was_written(
    tmp_path: Path, form: str, name: str, seen: int | None
) -> None:
    (tmp_path / name).write_text(export_text([item(0, "bad", seen=seen)], form))

    (one,) = read_labels(tmp_path / name, {"run:0": item(0, "odd", seen=9)})

    assert one.seen == seen


def test_labels_of_another_program_have_seen_what_is_decided_now(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("record,label\nrun:0,bad\n")
    choice = {"value": {"choices": ["bad"]}}
    task = {"data": {"record": "run:0"}, "annotations": [{"result": [choice]}]}
    (tmp_path / "f.json").write_text(json.dumps([task]))

    for name in ("f.csv", "f.json"):
        (one,) = read_labels(tmp_path / name, {"run:0": item(0, "odd", seen=9)})
        assert one.seen == 9


@pytest.mark.parametrize("verdict", ["accept", "change"])
def test_a_label_that_stands_comes_back_as_it_was_said_with_its_note(
    tmp_path: Path, verdict: str
) -> None:
    label = "good" if verdict == "change" else "fine"  # the prediction, and its later name
    said = replace(item(0, label, note="why", seen=3).state, state=STATE_OF[verdict])
    items = {"run:0": replace(item(0, label), state=said)}
    (tmp_path / "f.csv").write_text(f"record,label\nrun:0,{label}\n")
    (tmp_path / "f.json").write_text(export_text(items.values(), "label-studio"))

    for name in ("f.csv", "f.json"):
        (one,) = read_labels(tmp_path / name, items)
        assert (one.verdict, one.note, one.seen) == (verdict, "why", 3)

    (tmp_path / "f.csv").write_text("record,label\nrun:0,bad\n")
    (other,) = read_labels(tmp_path / "f.csv", items)
    assert (other.verdict, other.label, other.note) == ("change", "bad", "")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp949", "utf-16"])
def test_a_table_that_a_spreadsheet_has_written_is_read_in_its_encoding(
    tmp_path: Path, encoding: str
) -> None:
    rows = "".join(f"run:{n},change,나쁨,'=메모\n" for n in range(40))
    (tmp_path / "f.csv").write_bytes(f"record,verdict,label,note\n{rows}".encode(encoding))

    for read in (read_decisions, read_labels):
        found = read(tmp_path / "f.csv", ITEMS)
        assert {(each.label, each.note) for each in found} == {("나쁨", "=메모")}
        assert [each.record for each in found] == [f"run:{n}" for n in range(40)]


@pytest.mark.parametrize("name", ["e.label-studio", "e.txt", "e", "e.json", "e.jsonl"])
@pytest.mark.parametrize("form", ["csv", "jsonl", "label-studio"])
def test_what_was_exported_is_read_back_whatever_its_file_is_called(
    tmp_path: Path, form: str, name: str
) -> None:
    if form == "csv" and name in ("e.json", "e.jsonl"):
        pytest.skip("a name that says it is another format")
    (tmp_path / name).write_text(export_text([item(0, "bad", seen=3), item(1)], form), "utf-8-sig")

    (one,) = read_labels(tmp_path / name, ITEMS)

    assert (one.record, one.label, one.seen) == ("run:0", "bad", 3)


def test_decisions_are_read_whatever_their_file_is_called(tmp_path: Path) -> None:
    (tmp_path / "table").write_text("record,verdict\nrun:0,skip\n")
    (tmp_path / "lines").write_text('\n{"record": "run:0", "verdict": "skip"}\n')

    for name in ("table", "lines"):
        (one,) = read_decisions(tmp_path / name, ITEMS)
        assert (one.record, one.verdict) == ("run:0", "skip")


@pytest.mark.parametrize("content", [b"nonsense", b"label\nbad\n", b"\x89PNG\r\n\x00"])
def test_a_file_of_no_format_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f").write_bytes(content)

    for read in (read_labels, read_decisions):
        with pytest.raises(UsageError, match="no table with a column 'record', and no JSON"):
            read(tmp_path / "f", ITEMS)
    (tmp_path / "f").write_bytes(b"")
    assert read_labels(tmp_path / "f", ITEMS) == []
