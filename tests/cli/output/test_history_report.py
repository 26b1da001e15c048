"""A past run, and what differs between some, as people read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from alo.history.record import StepRecord

Keep = Callable[..., Path]


Call = Callable[..., tuple[int, str, str]]


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
    reported = json.loads(history("show", "20260101T0000", "--json")[1])

    for text in (
        "the disk is full",
        "train.n: 1",
        "train.train.n: 2 → 1",
        "numpy 2.0",
        "abc with changes",
        "0123456789ab  (1 files from ./a)",
    ):
        assert text in out
    assert reported["reason"] == "the disk is full"
    assert reported["folder"] == str(entry)


def test_diff_shows_what_differs_in_columns(keep: Keep, history: Call) -> None:
    keep(0, args={"train": {"n": 1, "k": "1"}}, score=0.5)
    keep(1, args={"train": {"n": 2, "k": 1}}, score=0.6)

    _, out, _ = history("diff", "20260101T0000", "20260101T0001")
    reported = json.loads(history("diff", "20260101T0000", "20260101T0001", "--json")[1])

    rows = [line.split() for line in out.splitlines()]
    assert ["train.n", "1", "2"] in rows
    assert ["train.k", '"1"', "1"] in rows
    assert ["score", "0.5", "0.6"] in rows
    assert "no difference in: ids, code, data, environment, step seconds" in out
    assert reported["args"] == {"train.n": [1, 2], "train.k": ["1", 1]}
    assert len(reported["runs"]) == 2
