"""``log/checksums.json``: what each file of an entry has to be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alo.files import checksum, checksum_of
from alo.history.entries.checksums import (
    CHECKSUMS,
    Checksum,
    amend,
    content_checksum,
    read_checksums,
    stamp,
    write_checksums,
)


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    (tmp_path / "log").mkdir()
    return tmp_path


def test_what_is_written_is_read(entry: Path) -> None:
    known = {"a": Checksum(3, 2**62, "abc"), "b/c": Checksum(0, -1)}

    write_checksums(entry, known)

    assert read_checksums(entry) == known


def test_an_entry_without_them_is_reported_from_a_damaged_one(entry: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_checksums(entry)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"a": 1}', '{"a": {"size": 1}}', '{"a": {"size": []}}']
)
def test_a_damaged_file_is_reported_as_one(entry: Path, text: str) -> None:
    (entry / CHECKSUMS).write_text(text)

    with pytest.raises(ValueError, match=r"damaged|JSON|Expecting|line"):
        read_checksums(entry)


def test_a_file_is_stamped_with_its_size_and_time_and_not_read(entry: Path) -> None:
    file = entry / "a"
    file.write_text("abc")
    os.utime(file, ns=(1, 1_234_567_891))

    assert stamp(str(file)) == Checksum(3, 1_234_567_891)
    assert stamp(str(file), "known").checksum == "known"


def test_a_link_is_stamped_by_where_it_leads(entry: Path) -> None:
    (entry / "a").write_text("x")
    for name, target in (("one", "a"), ("same", "a"), ("other", "nowhere")):
        (entry / name).symlink_to(target)

    one, same, other = (stamp(str(entry / name)) for name in ("one", "same", "other"))

    assert one == same != other
    assert (one.size, one.mtime_ns) == (0, 0)
    assert content_checksum(str(entry / "one")) == one.checksum
    assert content_checksum(str(entry / "a")) == checksum(entry / "a") != one.checksum


def test_a_file_that_is_amended_has_its_own_checksum(entry: Path) -> None:
    for name in ("a", "b"):
        (entry / name).write_text("before")
    known = {name: stamp(str(entry / name), checksum_of(b"before")) for name in ("a", "b")}
    write_checksums(entry, known)

    amend(entry, "a", b"after that")

    now = read_checksums(entry)
    assert (entry / "a").read_bytes() == b"after that"
    assert now["a"] == stamp(str(entry / "a"), checksum_of(b"after that"))
    assert now["b"] == known["b"]
