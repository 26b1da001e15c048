"""``alo history`` as a person and a program see it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.cli.commands.history import list_newest, words_of_list
from alo.cli.main import main
from alo.history.entries.save import save_entry
from alo.history.ids import utc_text
from alo.history.record import RunRecord, StepRecord
from alo.layout import Workspace

FIRST = 1_767_225_600.0  # 2026-01-01T00:00:00Z
JSON_KEYS = [
    *("id", "pipeline", "status", "start_time", "end_time", "score", "result", "note"),
    *("probability", "version", "data_id", "code_id", "param_id", "train_id", "args"),
]

Keep = Callable[..., Path]
Alo = Callable[..., "subprocess.CompletedProcess[str]"]
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "assets").mkdir(parents=True)
    return folder


@pytest.fixture
def keep(home: Path, tmp_path: Path) -> Keep:
    """``keep(3, status="error", ...)``: a run that started 3 minutes into 2026; its entry."""

    def keep_it(minute: int, **fields: Any) -> Path:
        record = RunRecord(
            id=f"20260101T00{minute:02}00Z-0000000{minute}-demo",
            pipeline=fields.pop("pipeline", "train"),
            status=fields.pop("status", "success"),
            start_time=utc_text(FIRST + minute * 60),
            **fields,
        )
        (tmp_path / "artifacts/output").mkdir(parents=True, exist_ok=True)
        (tmp_path / "artifacts/output/a.csv").write_text("1,2")
        return save_entry(
            Workspace(home), record, plan=b"", artifacts=tmp_path / "artifacts", code={}
        )

    return keep_it


@pytest.fixture
def history(home: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """``history("show", ID)``: exit status, stdout and stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        status = main(["history", *words, "--project", str(home)])
        return (status, *capsys.readouterr())

    return call


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
        (["--limit", "1"], [3]),
        (["--limit", "0"], [3, 2, 1, 0]),
    ],
)
def test_filters_narrow_the_list(
    keep: Keep, history: Call, words: list[str], minutes: list[int]
) -> None:
    keep(0, args={"train": {"n": 5}})
    keep(1, status="error")
    keep(2, pipeline="inference")
    keep(3, args={"train": {"n": 5, "m": "x"}})

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


def test_a_mistyped_action_is_guessed(history: Call) -> None:
    assert "did you mean 'show'?" in history("shwo", "x")[2]


@pytest.mark.parametrize("action", ["show", "diff", "remove", "rerun", "verify"])
def test_an_unknown_id_ends_with_1_and_names_near_ones(
    keep: Keep, history: Call, action: str
) -> None:
    keep(0)
    words = [action, "2027", *(["2026"] if action == "diff" else [])]

    status, _, err = history(*words)

    assert status == 1
    assert "no run begins with '2027'; the nearest: 20260101T000000Z-00000000-demo" in err


def test_show_tells_all_about_a_run(keep: Keep, history: Call) -> None:
    entry = keep(
        0,
        status="error",
        reason="the disk is full",
        failed_step="train",
        args={"train": {"n": 1}},
        overrides=("train.train.n: 2 → 1",),
        steps=(StepRecord("train", "error", 1.0, 0.5, 10**6, ("x",)),),
        packages={"numpy": "2.0"},
        git={"commit": "abc", "dirty": True},
        data_id="0123456789ab",
        data_id_description={"files": {"a/x.csv": "1"}, "sources": ["./a"]},
    )

    _, out, _ = history("show", "20260101T0000")
    told = json.loads(history("show", "20260101T0000", "--json")[1])

    for text in (
        "the disk is full",
        "train.n: 1",
        "train.train.n: 2 → 1",
        "numpy 2.0",
        "abc with changes",
        "0123456789ab  (1 files from ./a)",
    ):
        assert text in out
    assert told["reason"] == "the disk is full"
    assert told["folder"] == str(entry)


def test_diff_shows_what_differs_in_columns(keep: Keep, history: Call) -> None:
    keep(0, args={"train": {"n": 1, "k": "1"}}, score=0.5)
    keep(1, args={"train": {"n": 2, "k": 1}}, score=0.6)

    _, out, _ = history("diff", "20260101T0000", "20260101T0001")
    told = json.loads(history("diff", "20260101T0000", "20260101T0001", "--json")[1])

    rows = [line.split() for line in out.splitlines()]
    assert ["train.n", "1", "2"] in rows
    assert ["train.k", '"1"', "1"] in rows
    assert ["score", "0.5", "0.6"] in rows
    assert "no difference in: ids, code, data, environment, step seconds" in out
    assert told["args"] == {"train.n": [1, 2], "train.k": ["1", 1]}
    assert len(told["runs"]) == 2


def test_remove_tells_what_went(keep: Keep, history: Call) -> None:
    first, second = keep(0), keep(1)

    assert history("remove", first.name)[1] == f"removed {first.name}\n"
    assert json.loads(history("remove", second.name, "--json")[1]) == {"removed": [second.name]}
    assert not first.exists()
    assert not second.exists()


def test_prune_tells_what_went(keep: Keep, history: Call) -> None:
    entries = [keep(minute) for minute in range(3)]

    assert history("prune", "--keep", "2")[1] == f"removed {entries[0].name}\n"
    assert history("prune", "--keep", "2")[1] == "nothing to remove\n"
    assert history("prune", "--size", "0")[1] == f"removed {entries[1].name}\n"


def test_verify_ends_with_1_where_it_finds_damage(keep: Keep, history: Call) -> None:
    good, bad = keep(0), keep(1)
    assert history("verify")[:2] == (0, "2 runs verified, none damaged\n")

    (bad / "output/a.csv").write_text("3,4")

    status, out, _ = history("verify")
    assert status == 1
    assert f"{bad.name}  output/a.csv has other content" in out
    assert history("verify", good.name)[0] == 0
    assert json.loads(history("--json", "verify", bad.name)[1]) == [
        {"id": bad.name, "damage": [{"name": "output/a.csv", "what": "has other content"}]}
    ]


@pytest.mark.parametrize("words", [[], *[[name] for name in ("show", "diff", "rerun", "prune")]])
def test_help_is_told_for_each_action(history: Call, words: list[str]) -> None:
    status, out, _ = history(*words, "--help")

    assert status == 0
    assert out.startswith(" ".join(["usage: alo history", *words]))


def test_a_run_can_be_run_again(make_solution: Callable[..., Path], alo: Alo) -> None:
    home = make_solution({"train": "self.data['x'] = self.args['n']"}, args={"train": {"n": 1}})
    assert alo("run", cwd=home).returncode == 0
    (first,) = json.loads(alo("history", "--json", cwd=home).stdout)

    done = alo("history", "rerun", first["id"], "--quiet", cwd=home)

    assert done.returncode == 0, done.stderr
    again, _ = json.loads(alo("history", "--json", cwd=home).stdout)
    for key in ("data_id", "code_id", "param_id", "args", "status"):
        assert again[key] == first[key]
