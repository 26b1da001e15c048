"""``alo loop`` is a probe, and says which Redis it needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.cli.main import main
from alo.layout import Workspace
from alo.serve.folders import make_folder
from alo.serve.redis_queue.health import BOOTING, SERVING, Health

MakeSolution = Callable[..., Path]


@pytest.fixture
def status(
    make_solution: MakeSolution, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    home = make_solution({"a": "pass"})

    def call(*words: str) -> tuple[int, str]:
        code = main(["loop", "status", "--project", str(home), *words])
        return code, capsys.readouterr().out

    return call


def test_without_a_loop_the_probe_fails(status: Callable[..., tuple[int, str]]) -> None:
    assert status() == (1, "no loop of this project runs\n")
    assert status("--json") == (1, "[]\n")


@pytest.mark.parametrize(("state", "code"), [(BOOTING, 1), (SERVING, 0)])
def test_only_a_loop_that_serves_is_ready(
    status: Callable[..., tuple[int, str]], tmp_path: Path, state: str, code: int
) -> None:
    folder = make_folder(Workspace(tmp_path / "project"), "loop")
    try:
        Health(folder.path).be(state)

        found, shown = status()
        as_json: list[Any] = json.loads(status("--json")[1])
    finally:
        folder.remove()

    assert found == code
    assert f"{folder.name}  {state} since" in shown
    assert [each["status"] for each in as_json] == [state]


@pytest.mark.parametrize("words", [["dead"], ["dead", "list", "--redis", "http://x"]])
def test_without_a_redis_it_says_how_to_name_one(
    make_solution: MakeSolution,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
) -> None:
    monkeypatch.delenv("ALO_REDIS_URL", raising=False)
    home = make_solution({"a": "pass"})

    assert main(["loop", *words, "--project", str(home)]) == 2

    assert "redis" in capsys.readouterr().err.lower()
