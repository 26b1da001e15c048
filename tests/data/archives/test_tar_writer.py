"""A .tar.gz that several cores made is one that anything reads."""

from __future__ import annotations

import stat
import subprocess
import tarfile
from pathlib import Path

from alo.data.export import export_artifacts

from .conftest import contents_to_pack


def test_archives_made_in_threads_are_read_by_tar(folder: Path, tmp_path: Path) -> None:
    export_artifacts(folder, "train", tmp_path / "to", "tar.gz")
    (tmp_path / "all").mkdir()
    (tmp_path / "models").mkdir()
    for name, into in (("train_artifacts", "all"), ("model", "models")):
        archive = tmp_path / "to" / f"{name}.tar.gz"
        subprocess.run(["tar", "xzf", archive, "-C", tmp_path / into], check=True)
        subprocess.run(["gzip", "-t", archive], check=True)

    subprocess.run(["diff", "-r", folder, tmp_path / "all"], check=True)
    subprocess.run(["diff", "-r", folder / "models", tmp_path / "models"], check=True)
    assert (tmp_path / "all/models/text").stat().st_mtime == 1e9
    assert stat.S_IMODE((tmp_path / "all/models/text").stat().st_mode) == 0o755
    assert (tmp_path / "all/z/small").stat().st_mtime == -5


def test_archives_made_in_threads_are_read_by_python(folder: Path, tmp_path: Path) -> None:
    export_artifacts(folder, "train", tmp_path / "to", "tar.gz")

    with tarfile.open(tmp_path / "to/train_artifacts.tar.gz") as archive:
        for name, content in contents_to_pack().items():
            member = archive.extractfile(name)
            assert member is not None
            assert member.read() == content
