from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from tests.batch.cutting.conftest import Inputs, staged

from alo.batch.cutting import write
from alo.batch.cutting.cut import cut
from alo.batch.cutting.parts import sample_rows
from alo.batch.cutting.write import write_shard
from alo.errors import StagingError

TABLE = b"\xef\xbb\xbfa,b\r\n" + b"".join(b"%d,x\r\n" % row for row in range(1000))


def test_a_sample_has_one_header_and_its_rows(inputs: Inputs, tmp_path: Path) -> None:
    sample = sample_rows(cut(inputs({"a.csv": TABLE}), shards=3), 3)

    assert sample is not None
    assert staged(sample, tmp_path / "s") == {
        "data/a.csv": b"\xef\xbb\xbfa,b\r\n0,x\r\n499,x\r\n999,x\r\n"
    }


def test_files_have_the_times_of_their_sources(inputs: Inputs, tmp_path: Path) -> None:
    inputs({"a.csv": TABLE, "b.txt": b"b"})
    for name in ("a.csv", "b.txt"):
        os.utime(tmp_path / "data" / name, ns=(1, 10**18))
    (shard,) = cut(inputs({}), shards=1).shards

    write_shard(shard, tmp_path / "s")

    assert (tmp_path / "s/data/a.csv").stat().st_mtime_ns == 10**18
    assert (tmp_path / "s/data/b.txt").stat().st_mtime_ns == 10**18


@pytest.mark.parametrize("name", ["a.csv", "b.txt"])
def test_a_source_that_has_changed_is_refused_by_its_name(
    name: str, inputs: Inputs, tmp_path: Path
) -> None:
    (shard,) = cut(inputs({"a.csv": TABLE, "b.txt": b"b"}), shards=1).shards
    (tmp_path / "data" / name).write_bytes(b"a,b\n1,2\n")

    with pytest.raises(StagingError, match=rf"{name} has changed since it was cut"):
        write_shard(shard, tmp_path / "s")


@pytest.mark.parametrize("name", ["a.csv", "b.txt"])
def test_a_source_that_changes_while_it_is_written_is_refused(
    name: str, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shard,) = cut(inputs({"a.csv": TABLE, "b.txt": b"b"}), shards=1).shards
    real = os.fstat

    def changing(descriptor: int) -> os.stat_result:
        found = real(descriptor)
        os.utime(tmp_path / "data" / name, ns=(1, 1))  # once it has been looked at
        return found

    monkeypatch.setattr(os, "fstat", changing)

    with pytest.raises(StagingError, match=rf"{name} has changed"):
        write_shard(shard, tmp_path / "s")


@pytest.mark.parametrize("name", ["a.csv", "b.txt"])
def test_a_source_that_is_gone_is_named(name: str, inputs: Inputs, tmp_path: Path) -> None:
    (shard,) = cut(inputs({"a.csv": TABLE, "b.txt": b"b"}), shards=1).shards
    (tmp_path / "data" / name).unlink()

    with pytest.raises(StagingError, match=rf"{name}: No such file"):
        write_shard(shard, tmp_path / "s")


def test_a_full_disk_is_named_as_such(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shard,) = cut(inputs({"a.csv": TABLE}), shards=1).shards

    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(write, "_write_rows", full)

    with pytest.raises(StagingError, match="cannot write shard 0000: No space left") as caught:
        write_shard(shard, tmp_path / "s")
    assert "make room" in caught.value.fix
