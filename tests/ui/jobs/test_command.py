"""A command whose supervisor was killed: how it has ended, and which process it is."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from alo.claims import take
from alo.ui.jobs.command import FoundCommand
from alo.ui.jobs.folder import JobFolder

FINISHED = {"seconds": 1.0, "summary": None, "artifacts": "", "history": ""}


@pytest.fixture
def folder(home: Path) -> JobFolder:
    """The folder of a job."""
    made = JobFolder(home / "studio", "j1")
    made.make()
    return made


def reported(folder: JobFolder, run_id: str, status: str = "") -> None:
    """Have the command print that a run has begun and, with a status, that it has ended so."""
    run = {"run_id": run_id, "pipeline": "train"}
    events: list[tuple[str, dict[str, object]]] = [
        ("run_started", {**run, "steps": [], "solution": "s"})
    ]
    if status:
        events.append(("run_finished", {**run, **FINISHED, "status": status}))
    with folder.events.open("a") as file:
        for name, payload in events:
            envelope = {**run, "sequence": 0, "time": "", "event": name, "payload": payload}
            file.write(f"{json.dumps(envelope)}\n")


@pytest.mark.parametrize(
    ("mode", "statuses", "exit_status"),
    [
        ("train", ["success"], 0),
        ("train", ["error"], None),
        ("train", [], None),
        ("all", ["success", "success"], 0),
        ("all", ["success"], None),  # it was killed before the second
        ("all", ["success", ""], None),
    ],
)
def test_it_has_succeeded_if_all_its_runs_have(
    home: Path, folder: JobFolder, mode: str, statuses: list[str], exit_status: int | None
) -> None:
    for number, status in enumerate(statuses):
        reported(folder, f"r{number}", status)

    command = FoundCommand(folder, ["run", "--mode", mode], home)

    assert command.has_ended(0)
    assert command.exit_status == exit_status


def test_how_a_run_has_ended_that_could_not_say_so_is_in_history(
    home: Path, folder: JobFolder, runs: dict[str, str]
) -> None:
    reported(folder, runs["train"])

    assert FoundCommand(folder, ["run", "--mode", "train"], home).exit_status == 0


def test_what_it_has_left_running_does_not_keep_it_alive(home: Path, folder: JobFolder) -> None:
    claim = take(folder.command, "a process that the command has left")
    command = FoundCommand(folder, ["run", "--mode", "train"], home)
    reported(folder, "r0")
    assert not command.has_ended(0)

    reported(folder, "r0", "success")

    assert command.has_ended(0)
    assert claim is not None
    claim.release()


def test_a_process_that_has_got_its_number_is_another(folder: JobFolder) -> None:
    folder.note_process(os.getpid())
    assert folder.process == 0

    claim = take(folder.command, "the command")

    assert folder.process == os.getpid()
    assert claim is not None
    claim.release()
    assert folder.process == 0
