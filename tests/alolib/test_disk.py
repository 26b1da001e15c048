"""A full disk is known in one place, whoever meets it."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

from alolib.disk import fix_of, free_bytes, is_full, reports_full

SOURCES = Path(__file__).parents[2] / "src"


def fault(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_and_a_used_up_quota_have_one_advice(number: int) -> None:
    assert is_full(fault(number))
    assert reports_full(f"fatal: write error: {os.strerror(number)}")
    assert fix_of(fault(number)).startswith("make room on the disk, and try again; ")
    assert fix_of(fault(number), needed=1_000_000).startswith("make room for 1,000,000 bytes on")


@pytest.mark.parametrize("number", [errno.EROFS, errno.EFBIG, errno.EIO, errno.EMFILE])
def test_what_else_a_disk_refuses_for_has_advice_of_its_own(number: int) -> None:
    assert not is_full(fault(number))
    assert fix_of(fault(number), needed=5, other="other") not in ("", "other")
    assert "make room" not in fix_of(fault(number))


def test_of_other_errors_the_caller_knows_more() -> None:
    assert fix_of(fault(errno.EACCES)) == ""
    assert fix_of(fault(errno.EACCES), other="give the right to write") == "give the right to write"
    assert fix_of(OSError("no number")) == ""
    assert not is_full(ValueError("no space left on device"))
    assert not reports_full("fatal: early EOF")


def test_how_much_room_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (free_bytes(tmp_path) or 0) > 0
    assert free_bytes(tmp_path / "not there") is None

    reported = os.statvfs_result([4096, 4096, 0, 0, 0, 0, 0, 0, 0, 255])  # as of an object store
    monkeypatch.setattr(os, "statvfs", lambda folder: reported)

    assert free_bytes(tmp_path) is None


def test_no_one_else_tells_a_full_disk() -> None:
    own = re.compile(
        r"errno\s*(==|!=|(not )?in)\s*.*\b(28|122|ENOSPC|EDQUOT|NO_ROOM)\b|No space left"
    )
    found = [
        f"{path.relative_to(SOURCES)}:{number}"
        for path in SOURCES.rglob("*.py")
        if path.name != "disk.py"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if own.search(line)
    ]

    assert found == []
