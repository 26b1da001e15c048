"""Commands that show services list the alarms that are raised."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.alarms.test_ledger import ENDED, RAISED, after

from alo.alarms.ledger import FAILED, change_ledger, ledger_path
from alo.cli.main import main
from alo.layout import Workspace
from alo.serve.folders import make_folder
from alo.serve.redis_queue.health import SERVING, Health

Shown = Callable[..., str]


@pytest.fixture
def home(make_solution: Callable[..., Path]) -> Path:
    return make_solution({"a": "pass"})


@pytest.fixture
def shown(home: Path, capsys: pytest.CaptureFixture[str]) -> Shown:
    def call(*words: str) -> str:
        main([*words, "--project", str(home)])
        return capsys.readouterr().out

    return call


def test_raised_alarms_are_listed_until_they_have_ended(home: Path, shown: Shown) -> None:
    workspace = Workspace(home)
    folder = make_folder(workspace, "loop")
    try:
        Health(folder.path).be(SERVING)
        (crossing,) = change_ledger(workspace, lambda now: after(now, RAISED)).crossings
        change_ledger(workspace, lambda now: now.with_call(crossing.id, FAILED, "it is away"))

        (loop,) = json.loads(shown("loop", "status", "--json"))
        deployed = json.loads(shown("deploy", "--status", "--json"))
        texts = shown("loop", "status"), shown("deploy", "--status")

        assert loop["alarms"] == deployed["alarms"]
        (alarm,) = loop["alarms"]
        assert alarm == {**crossing.body, "delivery": FAILED, "reason": "it is away"}
        line = "failures raised since 2026-01-01T00:00:00Z: 0.5 (limit 0.1), requests: 20"
        for text in texts:
            assert f"{line}; call: failed: it is away" in text
        change_ledger(workspace, lambda now: after(now, ENDED))
        assert json.loads(shown("loop", "status", "--json"))[0]["alarms"] == []
        assert "raised since" not in shown("deploy", "--status")
    finally:
        folder.remove()


def test_a_damaged_note_of_alarms_spoils_no_probe(
    home: Path, shown: Shown, capsys: pytest.CaptureFixture[str]
) -> None:
    path = ledger_path(Workspace(home))
    path.write_text("{")

    assert main(["loop", "status", "--project", str(home)]) == 1
    assert "what is noted of alarms cannot be read" in capsys.readouterr().err
    assert json.loads(shown("deploy", "--status", "--json"))["alarms"] is None
