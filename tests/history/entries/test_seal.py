"""Checksums taken after the run."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.history.entries import save as entry_module
from alo.history.entries import seal as seal_module
from alo.history.entries.checksums import CHECKSUMS, read_checksums
from alo.history.entries.folders import unsealed_entries
from alo.history.entries.seal import (
    seal,
    seal_after_us,
    seal_in_background,
    seal_now,
    seal_what_is_left,
)
from alo.history.entries.verify import damage
from alo.layout import Workspace

from ...support.waiting import PATIENCE_S, wait_until

Keep = Callable[..., Path]


@pytest.fixture
def unsealed(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(entry_module, "COPIED_AT_ONCE", 0)
    monkeypatch.setattr(entry_module, "seal_in_background", lambda folder: None)
    return keep(files={"models/a": b"a" * 1000, "models/b": b"b"})


def is_sealed(entry: Path) -> bool:
    return all(each.checksum for each in read_checksums(entry).values())


def wait_until_sealed(workspace: Workspace) -> None:
    wait_until(lambda: not unsealed_entries(workspace))


def test_sealing_fills_in_what_is_missing_and_can_be_repeated(unsealed: Path) -> None:
    assert not is_sealed(unsealed)

    seal(unsealed)
    first = read_checksums(unsealed)
    seal(unsealed)

    assert is_sealed(unsealed)
    assert read_checksums(unsealed) == first
    assert damage(unsealed) == []


def test_a_process_seals_it_in_the_background(
    unsealed: Path, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "xxhash.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)

    seal_in_background(unsealed)

    wait_until_sealed(workspace)
    assert is_sealed(unsealed)
    assert (tmp_path / "artifacts-1/models/a").stat().st_nlink == 1


ENDS = """
import os, signal, subprocess, sys
from pathlib import Path
from alo.history.entries.checksums import read_checksums
from alo.history.entries.seal import seal_after_us, seal_in_background

entry, how = Path(sys.argv[1]), sys.argv[2]
seal_after_us()
seal_in_background(entry)
for _ in range(3):  # time enough for who does not wait
    subprocess.run([sys.executable, "-c", "import alo.history.entries.seal"], check=True)
print(all(each.checksum for each in read_checksums(entry).values()), flush=True)
if how == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("how", ["ends", "killed"])
def test_after_us_is_when_the_process_has_ended_in_whichever_way(
    how: str, unsealed: Path, workspace: Workspace
) -> None:
    command = [sys.executable, "-c", ENDS, str(unsealed), how]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=PATIENCE_S)

    assert ended.stdout == "False\n"
    wait_until_sealed(workspace)
    assert damage(unsealed) == []


def test_who_lives_on_lets_it_begin(unsealed: Path, workspace: Workspace) -> None:
    seal_after_us()
    seal_in_background(unsealed)

    seal_now()

    wait_until_sealed(workspace)
    assert damage(unsealed) == []


def test_where_there_is_no_shell_nothing_waits(
    unsealed: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal_module, "SHELL", "/no/shell")
    seal_after_us()

    seal_in_background(unsealed)

    wait_until_sealed(workspace)


def test_a_file_altered_before_it_was_sealed_is_reported(unsealed: Path) -> None:
    (unsealed / "models/b").write_bytes(b"other")

    seal(unsealed)

    assert is_sealed(unsealed)
    assert [(each.name, "altered before" in each.what) for each in damage(unsealed)] == [
        ("models/b", True)
    ]


def test_a_file_lost_before_it_was_sealed_does_not_stop_the_others(unsealed: Path) -> None:
    (unsealed / "models/b").unlink()

    assert [each.name for each in damage(unsealed)] == ["models/b"]


def test_a_killed_sealer_leaves_nothing_behind(unsealed: Path) -> None:
    (unsealed / "log/.checksums.json.1-0123abcd.alo-tmp").write_text("{half")

    seal(unsealed)

    assert not list((unsealed / "log").glob(".*"))
    json.loads((unsealed / "log/checksums.json").read_text())


SLOW = """
import sys, time
from pathlib import Path
from alo.history.entries import seal as module

def copy(source, target):
    Path(target).write_bytes(b"half")
    print("copying", flush=True)
    time.sleep(600)

module.copy_and_hash = copy
module.seal(Path(sys.argv[1]))
"""


def test_a_copy_that_is_killed_leaves_the_entry_whole_and_the_next_start_makes_it(
    unsealed: Path, workspace: Workspace, tmp_path: Path
) -> None:
    mine = tmp_path / "artifacts-1/models/a"
    command = [sys.executable, "-c", SLOW, str(unsealed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if not process.stdout.readline():
            pytest.skip("files share their blocks here, so that nothing is copied")
        process.kill()
    assert (unsealed / "models/a").read_bytes() == b"a" * 1000
    assert unsealed_entries(workspace) == [unsealed]

    assert seal_what_is_left(workspace) == {}

    assert unsealed_entries(workspace) == []
    assert mine.stat().st_nlink == 1
    assert damage(unsealed) == []


def test_an_entry_for_which_there_is_no_room_stays_whole_and_is_tried_again(
    unsealed: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: object, target: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(seal_module, "copy_and_hash", full)
        failed = seal_what_is_left(workspace)

    if (unsealed / "models/a").stat().st_nlink == 1:
        pytest.skip("files share their blocks here, so that nothing is copied")
    assert {name: error.errno for name, error in failed.items()} == {unsealed.name: errno.ENOSPC}
    assert (unsealed / "models/a").read_bytes() == b"a" * 1000
    assert seal_what_is_left(workspace) == {}
    assert damage(unsealed) == []


@pytest.mark.parametrize("spoil", [shutil.rmtree, lambda entry: (entry / CHECKSUMS).write_text("")])
def test_an_entry_that_is_gone_or_damaged_is_not_tried_for_ever(
    spoil: Callable[[Path], object], unsealed: Path, workspace: Workspace
) -> None:
    spoil(unsealed)

    assert seal_what_is_left(workspace) == {}
    assert unsealed_entries(workspace) == []


def test_an_entry_that_has_been_removed_is_no_trouble(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "alo.history.entries.seal", str(tmp_path / "gone")],
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (1, b"")
