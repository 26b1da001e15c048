"""What differs between runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

OWN = {"Origin": "http://127.0.0.1:8811"}


def test_two_runs_are_compared_by_what_differs(
    client: httpx.Client, home: Path, run: Callable[..., Any]
) -> None:
    (one,) = run(home, mode="train")
    (two,) = run(home, mode="train", overrides=("train.x=6",))

    content = client.get(f"/compare.json?run={one.run_id}&run={two.run_id}").json()

    assert content["args"] == [{"key": "train.x", "values": [5, 6]}]
    assert {row["key"] for row in content["summary"]} == {"score"}
    assert any(line.startswith("+") for line in content["plan"])
    everything = client.get(f"/compare.json?run={one.run_id}&run={two.run_id}&all=1").json()
    assert {"key": "train.kind", "values": ["a", "a"]} in everything["args"]


def test_a_run_with_itself_or_too_many_are_refused(
    client: httpx.Client, runs: dict[str, str]
) -> None:
    one = runs["train"]

    for path in (f"run={one}", f"run={one}&run={one}", "&".join([f"run={one}"] * 21)):
        assert client.get(f"/compare.json?{path}").status_code == 422
