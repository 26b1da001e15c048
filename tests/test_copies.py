"""A second place for a file: a file of its own, like the first in all that the system can keep."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alo import copies
from alo.copies import clone, clone_or_copy, copy_and_hash, link, link_or_copy
from alo.files import checksum

Copy = Callable[[Path, Path], object]
COPIES: list[Copy] = [clone_or_copy, copy_and_hash]


@pytest.fixture(params=[0o644, 0o444, 0o751, 0o600], ids=oct)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(os.urandom(3_000_000))
    os.utime(path, ns=(1_000_000_007, 2_000_000_011))
    path.chmod(request.param)
    return path


def refuse(*arguments: object, **options: object) -> None:
    raise PermissionError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_a_file_of_its_own_with_content_mode_and_time(
    copy: Copy, source: Path, tmp_path: Path
) -> None:
    before = source.stat()

    copy(source, tmp_path / "target")

    target = (tmp_path / "target").stat()
    assert (tmp_path / "target").read_bytes() == source.read_bytes()
    assert (target.st_mode, target.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert target.st_ino != before.st_ino
    assert (source.stat().st_mode, source.stat().st_nlink) == (before.st_mode, 1)


def test_the_checksum_is_that_of_the_copy(source: Path, tmp_path: Path) -> None:
    assert copy_and_hash(source, tmp_path / "target") == checksum(tmp_path / "target")


@pytest.mark.parametrize("copy", COPIES)
def test_where_modes_and_times_cannot_be_set_the_content_is_copied(
    copy: Copy, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("fchmod", "chmod", "utime"):
        monkeypatch.setattr(os, name, refuse)

    copy(source, tmp_path / "target")

    assert (tmp_path / "target").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_that_fails_leaves_nothing_and_tells_why(
    copy: Copy, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    monkeypatch.setattr(os, "copy_file_range", full, raising=False)
    monkeypatch.setattr(copies, "_clone", lambda source, target: False)

    with pytest.raises(OSError, match="No space left"):
        copy(source, tmp_path / "target")

    assert os.listdir(tmp_path) == ["source"]


@pytest.mark.parametrize("copy", [*COPIES, link_or_copy])
def test_what_is_there_already_is_not_written_over(copy: Copy, tmp_path: Path) -> None:
    (tmp_path / "source").write_text("new")
    (tmp_path / "target").write_text("old")

    with pytest.raises(FileExistsError):
        copy(tmp_path / "source", tmp_path / "target")

    assert (tmp_path / "target").read_text() == "old"


def test_a_clone_that_cannot_be_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "_clone", lambda source, target: False)

    assert not clone(source, tmp_path / "target")
    assert os.listdir(tmp_path) == ["source"]


def test_without_hard_links_a_second_name_is_a_copy(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", refuse)

    link_or_copy(source, tmp_path / "target")

    assert (tmp_path / "target").read_bytes() == source.read_bytes()
    assert source.stat().st_nlink == 1


def test_where_names_are_not_counted_a_second_one_is_a_copy(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copy(old: Path, new: Path) -> None:  # a link as it looks there
        Path(new).write_bytes(Path(old).read_bytes())

    monkeypatch.setattr(os, "link", copy)

    assert not link(source, tmp_path / "target")
    assert os.listdir(tmp_path) == ["source"]
