"""A worker's note of what it has in hand is there after its process has died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from alo.workers.progress import ProgressNote, noted_step


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "progress"


def test_a_step_is_noted_until_the_request_ends(path: Path) -> None:
    note = ProgressNote(path)
    seen = [noted_step(path)]
    for step in ("", "a_long_name_of_a_step", "b", "차"):
        note.begin(step)
        seen.append(noted_step(path))
    note.end()

    assert [*seen, noted_step(path)] == [None, "", "a_long_name_of_a_step", "b", "차", None]


def test_a_note_outlives_its_process(path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from alo.workers.progress import ProgressNote; "
        "ProgressNote(Path(sys.argv[1])).begin('train'); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False)

    assert done.returncode == -signal.SIGKILL
    assert noted_step(path) == "train"


def test_a_new_process_has_nothing_in_hand(path: Path) -> None:
    ProgressNote(path).begin("train")
    ProgressNote(path)

    assert noted_step(path) is None


def test_where_the_note_is_gone_a_request_may_have_begun(path: Path) -> None:
    note = ProgressNote(path)
    os.unlink(path)
    note.begin("train")

    assert noted_step(path) == ""


def test_what_is_noted_already_is_not_written_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = ProgressNote(path)
    written: list[bytes] = []
    monkeypatch.setattr(os, "pwrite", lambda file, text, offset: written.append(text))

    for step in ("", "", "a", "a", ""):
        note.begin(step)
    note.end()
    note.end()

    assert written == [b"+\n", b"+a\n", b"+\n", b"-\n"]
