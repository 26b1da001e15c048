"""``alo history`` as a person and a program see it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.cli.commands.history import list_newest, words_of_list

JSON_KEYS = [
    *("id", "pipeline", "status", "start_time", "end_time", "score", "result", "note"),
    *("probability", "version", "data_id", "code_id", "param_id", "train_id", "sweep", "args"),
]

Keep = Callable[..., Path]
Call = Callable[..., tuple[int, str, str]]


def test_the_list_is_a_table_with_the_newest_run_first(keep: Keep, history: Call) -> None:
    keep(0, result="좋음", score=0.9, note="n" * 100, seconds=1.5)
    keep(1, status="error", pipeline="inference")

    status, out, _ = history()

    header, newest, oldest = out.splitlines()
    assert status == 0
    assert header.split()[:4] == ["id", "pipeline", "status", "start"]
    assert newest.split() == [
        "20260101T000100Z-00000001-demo",
        "inference",
        "error",
        "2026-01-01",
        "00:01:00",
    ]
    assert "1.50 s    0.9  좋음" in oldest
    assert oldest.endswith("n...")


def test_the_quick_list_is_the_same_as_the_parsed_one(
    keep: Keep, history: Call, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for minute in range(25):
        keep(minute)

    workspace = words_of_list(["--project", str(home)])
    assert workspace is not None
    assert list_newest(workspace) == 0
    quick = capsys.readouterr().out
    assert quick == history("--limit", "20")[1]
    assert len(quick.splitlines()) == 21


@pytest.mark.parametrize("words", [["--json"], ["show", "x"], ["--project"], ["--project=."]])
def test_the_quick_list_leaves_all_else_to_the_parser(words: list[str]) -> None:
    assert words_of_list(words) is None


def test_the_quick_list_leaves_a_folder_that_is_no_project_to_the_parser(tmp_path: Path) -> None:
    assert words_of_list(["--project", str(tmp_path)]) is None


def test_json_has_the_documented_keys(keep: Keep, history: Call) -> None:
    keep(0, score=0.5, args={"train": {"n": 1}}, probability={"a": 1.0})
    keep(1)

    newest, oldest = json.loads(history("--json")[1])

    assert list(newest) == JSON_KEYS
    assert newest["score"] is None
    assert (oldest["args"], oldest["probability"]) == ({"train": {"n": 1}}, {"a": 1.0})
    assert oldest["start_time"] == "2026-01-01T00:00:00.000000Z"


def test_a_project_without_runs_says_so(history: Call) -> None:
    assert history() == (0, "no runs yet; alo run makes the first\n", "")
    assert history("--json")[1] == "[]\n"


@pytest.mark.parametrize(
    ("words", "minutes"),
    [
        (["--mode", "inference"], [2]),
        (["--status", "error"], [1]),
        (["--param", "train.n=5"], [3, 0]),
        (["--param", "train.n=5", "--param", "train.m=x"], [3]),
        (["--since", "2026-01-01T00:02"], [3, 2]),
        (["--since", "3d"], []),
        (["--sweep", "depth"], [2]),
        (["--sweep", "dept"], []),
        (["--limit", "1"], [3]),
        (["--limit", "0"], [3, 2, 1, 0]),
    ],
)
def test_filters_narrow_the_list(
    keep: Keep, history: Call, words: list[str], minutes: list[int]
) -> None:
    keep(0, args={"train": {"n": 5}})
    keep(1, status="error")
    keep(2, pipeline="inference", sweep={"name": "depth", "trial": 4})
    keep(3, args={"train": {"n": 5, "m": "x"}}, sweep={"name": "other", "trial": 0})

    found = json.loads(history("--json", *words)[1])

    assert [int(run["start_time"][14:16]) for run in found] == minutes


@pytest.mark.parametrize(
    "words",
    [
        ["--status", "good"],
        ["--mode", "all"],
        ["--limit", "-1"],
        ["--limit", "x"],
        ["--param", "n=5"],
        ["--since", "soon"],
        ["shwo", "x"],
        ["show"],
        ["show", "a", "b"],
        ["diff", "a"],
        ["remove"],
        ["prune"],
        ["prune", "--keep", "1", "--size", "1"],
        ["prune", "--size", "nan"],
        ["rerun"],
    ],
)
def test_a_command_line_that_makes_no_sense_ends_with_2(history: Call, words: list[str]) -> None:
    status, out, err = history(*words)

    assert (status, out) == (2, "")
    assert err.startswith("error: ")
