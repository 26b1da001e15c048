"""Which model answered when, also where a process was killed between two files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from alo.errors import HistoryError
from alo.history.deployment import Deployment, change_deployment
from alo.history.promotions import FOUND, model_at, note_promotion, promotions, run_of
from alo.layout import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "solution").mkdir()
    return Workspace(tmp_path)


def deploy(workspace: Workspace, run: str, when: str, *, note: bool = True) -> Deployment:
    made = change_deployment(
        workspace,
        lambda now: now._replace(run=run, before=now.run, who="ada", when=when, why="deploy"),
    )
    if note:
        note_promotion(workspace, made)
    return made


def path_of(workspace: Workspace) -> Path:
    return workspace.home / "solution/promotions.jsonl"


def test_each_deployment_is_a_line_with_who_when_and_what_was_before(workspace: Workspace) -> None:
    deploy(workspace, "run-a", "2026-01-01T00:00:00Z")
    deploy(workspace, "run-b", "2026-01-02T00:00:00Z")

    lines = [json.loads(line) for line in path_of(workspace).read_text().splitlines()]
    assert [(line["run"], line["from"], line["who"], line["why"]) for line in lines] == [
        ("run-a", "", "ada", "deploy"),
        ("run-b", "run-a", "ada", "deploy"),
    ]
    assert [run_of(each) for each in promotions(workspace)] == ["run-a", "run-b"]


def test_the_same_deployment_is_noted_once(workspace: Workspace) -> None:
    made = deploy(workspace, "run-a", "2026-01-01T00:00:00Z")

    note_promotion(workspace, made)

    assert len(promotions(workspace)) == 1


def test_the_model_of_a_time_is_the_last_one_deployed_by_then(workspace: Workspace) -> None:
    deploy(workspace, "run-a", "2026-01-01T00:00:00Z")
    deploy(workspace, "", "2026-01-02T00:00:00Z")
    found = promotions(workspace)

    assert model_at(found, "2025-12-31T00:00:00Z") is None
    first, second = (model_at(found, f"2026-01-0{day}T12:00:00Z") for day in (1, 2))
    assert first is not None
    assert second is not None
    assert (run_of(first), run_of(second)) == ("run-a", "current")


def test_a_deployment_that_was_not_noted_before_a_kill_is_found(workspace: Workspace) -> None:
    deploy(workspace, "run-a", "2026-01-01T00:00:00Z")
    deploy(workspace, "run-b", "2026-01-02T00:00:00Z", note=False)

    found = promotions(workspace)

    assert [(each.run, each.why) for each in found] == [("run-a", "deploy"), ("run-b", "deploy")]


def test_what_an_earlier_alo_has_deployed_has_no_reason(workspace: Workspace) -> None:
    change_deployment(
        workspace, lambda now: now._replace(run="run-a", who="ada", when="2026-01-01T00:00:00Z")
    )

    assert [each.why for each in promotions(workspace)] == [FOUND]


def test_damage_to_the_past_stops_no_deployment(workspace: Workspace) -> None:
    path_of(workspace).write_text("nonsense\n{}\n")

    made = deploy(workspace, "run-a", "2026-01-01T00:00:00Z")
    note_promotion(workspace, made)

    assert path_of(workspace).read_text().count("run-a") == 1


def test_a_torn_last_line_is_passed_over_and_the_next_is_whole(workspace: Workspace) -> None:
    deploy(workspace, "run-a", "2026-01-01T00:00:00Z")
    with path_of(workspace).open("ab") as file:
        file.write(b'{"when": "2026-01-0')

    assert [each.run for each in promotions(workspace)] == ["run-a"]
    deploy(workspace, "run-b", "2026-01-02T00:00:00Z")
    assert [each.run for each in promotions(workspace)] == ["run-a", "run-b"]


def test_a_damaged_line_in_the_middle_is_said_with_its_number(workspace: Workspace) -> None:
    deploy(workspace, "run-a", "2026-01-01T00:00:00Z")
    path = path_of(workspace)
    path.write_bytes(b"nonsense\n" + path.read_bytes() + path.read_bytes())

    with pytest.raises(HistoryError, match="line 1 of the promotions is damaged"):
        promotions(workspace)


def test_without_a_deployment_there_are_none(workspace: Workspace) -> None:
    assert promotions(workspace) == []


def test_a_file_that_has_no_end_is_said_and_not_waited_for(workspace: Workspace) -> None:
    path = workspace.home / "solution/promotions.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)

    with pytest.raises(HistoryError, match="cannot be read"):
        promotions(workspace)
