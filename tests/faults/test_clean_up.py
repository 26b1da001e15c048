"""Tidying up after an error never hides the error."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alo import copies
from alo.copies import clone_or_copy, copy_and_hash
from alo.data.copying import Copier
from alo.data.export import export_artifacts
from alo.errors import ExportError, StoreError
from alo.files import write_whole
from alo.history.entries.folders import building
from alo.store.blobs import Draft

Work = Callable[[Path, Path], object]


def build_an_entry(source: Path, target: Path) -> None:
    with building(target.parent / "history", "run"):
        (target.parent / "history/run").write_bytes(source.read_bytes())
        raise OSError(errno.ENOSPC, "No space left on device")


def write_a_blob(source: Path, target: Path) -> None:
    target.mkdir()
    with Draft(target, "a value") as draft:
        draft.append(source.read_bytes())


def export(source: Path, target: Path) -> None:
    export_artifacts(source.parent, "train", target, "tar.gz")


WORK: dict[str, Work] = {
    "a clone or copy": clone_or_copy,
    "a copy with its checksum": copy_and_hash,
    "a staged file": lambda source, target: Copier().copy(str(source), str(target)),
    "a whole write": lambda source, target: write_whole(target, source.read_bytes()),
    "an entry of history": build_an_entry,
    "a blob": write_a_blob,
    "an export": export,
}


@pytest.mark.parametrize("size", [1000, 20_000_000])
@pytest.mark.parametrize("what", WORK)
def test_a_full_disk_is_reported_though_nothing_can_be_removed(
    what: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **options: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def stuck(*arguments: object, **options: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    source = tmp_path / "artifacts/source"
    source.parent.mkdir()
    source.write_bytes(os.urandom(size))
    monkeypatch.setattr(copies, "_clone", lambda source, target: False)
    monkeypatch.setattr(Copier, "_clone", lambda copier, source, target: False)
    for name in ("write", "pwrite", "copy_file_range", "replace"):
        monkeypatch.setattr(os, name, full)
    for name in ("unlink", "rmdir", "remove"):
        monkeypatch.setattr(os, name, stuck)

    with pytest.raises((OSError, StoreError, ExportError)) as caught:
        WORK[what](source, tmp_path / "target")

    reported = f"{caught.value} {getattr(caught.value, 'fix', '')}"
    assert "No space left" in reported or "no room left" in reported, reported
    assert "Read-only" not in reported
