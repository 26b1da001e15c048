"""A file that only grows: a write that fails is told once, and never raised by the write."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from alo.errors import RunError
from alo.events import appended
from alo.events.appended import AppendedFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.log"


def test_each_write_is_in_the_file_at_once_behind_what_was_there(path: Path) -> None:
    path.write_bytes(b"1")
    file = AppendedFile(path)

    assert file.write(b"2")

    assert path.read_bytes() == b"12"
    file.check()
    file.close()


class _Full:
    """The module ``os`` of a disk that has room for a few bytes more."""

    def __init__(self, room: int) -> None:
        self.room = room

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)

    def write(self, descriptor: int, content: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        size = os.write(descriptor, content[: self.room])
        self.room -= size
        return size


@pytest.mark.parametrize(("whole", "left"), [(False, b"begun abc"), (True, b"begun ")])
def test_what_does_not_fit_is_reported_once_and_half_of_it_stays_only_if_it_may(
    path: Path, monkeypatch: pytest.MonkeyPatch, whole: bool, left: bytes
) -> None:
    file = AppendedFile(path)
    file.write(b"begun ")
    monkeypatch.setattr(appended, "os", _Full(room=3))

    assert not file.write(b"abcdef", whole=whole)

    assert path.read_bytes() == left
    with pytest.raises(RunError, match="the log cannot be written: No space left") as caught:
        file.check()
    assert "make room" in caught.value.fix
    file.check()
    file.close()


def test_after_its_end_nothing_is_written_or_raised(path: Path) -> None:
    file = AppendedFile(path)
    file.close()
    file.close()

    assert not file.write(b"late")
    file.check()
    assert path.read_bytes() == b""
