"""What commands of jobs print of themselves, and what follows from that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alo.claims import take
from alo.ui.jobs.command import FoundCommand
from alo.ui.jobs.folder import JobFolder
from alo.ui.jobs.progress import Progress, reader_of

MADE = {"name": "d", "version": "v2"}


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    """The folder of a job."""
    made = JobFolder(tmp_path / "studio", "j1")
    made.make()
    return made


@pytest.mark.parametrize(
    ("words", "printed", "expected"),
    [
        (["dataset", "make"], MADE, Progress(made="d@v2", is_over=True, exit_status=0)),
        (["retrain"], {"run": "r", "verdict": "pass"}, Progress("r", "", True, 0)),
        (["retrain"], {"run": "r", "verdict": "held"}, Progress("r", "", True, 3)),
    ],
)
def test_a_command_that_prints_one_object_is_over_when_that_is_whole(
    folder: JobFolder, words: list[str], printed: dict[str, str], expected: Progress
) -> None:
    reader = reader_of(folder, words, folder.path)
    assert reader.progress() == Progress()
    whole = json.dumps(printed) + "\n"

    folder.events.write_text(whole[:-1])
    assert reader.progress() == Progress()

    folder.events.write_text(whole)
    assert reader.progress() == expected


@pytest.mark.parametrize("text", ["", "[1]\n", "no json\n", "{}\n{}\n"])
def test_what_is_no_such_object_says_nothing(folder: JobFolder, text: str) -> None:
    folder.events.write_text(text)

    assert reader_of(folder, ["dataset", "make"], folder.path).progress() == Progress()


def test_a_found_command_has_ended_with_what_it_has_printed(folder: JobFolder) -> None:
    claim = take(folder.command, "the command")
    command = FoundCommand(folder, ["retrain"], folder.path)
    assert not command.has_ended(0)

    folder.events.write_text('{"run": "r", "verdict": "held"}\n')

    assert (command.has_ended(0), command.exit_status) == (True, 3)
    assert claim is not None
    claim.release()


def test_one_that_was_killed_has_ended_in_a_way_that_is_not_known(folder: JobFolder) -> None:
    command = FoundCommand(folder, ["dataset", "make"], folder.path)

    assert (command.has_ended(0), command.exit_status) == (True, None)
