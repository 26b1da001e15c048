"""Checksums taken after the run."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.history import entry as entry_module
from alo.history.checksums import read_checksums
from alo.history.seal import seal, seal_in_background
from alo.history.verify import damage

Keep = Callable[..., Path]


@pytest.fixture
def unsealed(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(entry_module, "SMALL_RUN", 0)
    monkeypatch.setattr(entry_module, "seal_in_background", lambda folder: None)
    return keep(files={"models/a": b"a" * 1000, "models/b": b"b"})


def is_sealed(entry: Path) -> bool:
    return all(each.checksum for each in read_checksums(entry).values())


def test_sealing_fills_in_what_is_missing_and_can_be_repeated(unsealed: Path) -> None:
    assert not is_sealed(unsealed)

    seal(unsealed)
    first = read_checksums(unsealed)
    seal(unsealed)

    assert is_sealed(unsealed)
    assert read_checksums(unsealed) == first
    assert damage(unsealed) == []


def test_a_process_seals_it_in_the_background(
    unsealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "xxhash.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)

    seal_in_background(unsealed)

    deadline = time.monotonic() + 30
    while not is_sealed(unsealed) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert is_sealed(unsealed)


def test_a_file_altered_before_it_was_sealed_is_told(unsealed: Path) -> None:
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


def test_an_entry_that_has_been_removed_is_no_trouble(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "alo.history.seal", str(tmp_path / "gone")],
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (1, b"")
