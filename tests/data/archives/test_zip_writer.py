"""A zip whose members were compressed by several cores is one that anything reads."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

from alo.data.export import export_artifacts

from .conftest import contents_to_pack


def test_a_zip_made_in_threads_is_read_by_unzip(folder: Path, tmp_path: Path) -> None:
    artifacts = folder.rename(tmp_path / "inference_artifacts")
    export_artifacts(artifacts, "inference", tmp_path / "to", "zip")
    archive = tmp_path / "to/inference_artifacts.zip"
    (tmp_path / "all").mkdir()
    unzip = ["unzip", "-q", archive, "-d", tmp_path / "all"]
    subprocess.run(unzip, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"})

    subprocess.run(["diff", "-r", artifacts, tmp_path / "all"], check=True)


def test_a_zip_made_in_threads_is_read_by_python(folder: Path, tmp_path: Path) -> None:
    artifacts = folder.rename(tmp_path / "inference_artifacts")
    export_artifacts(artifacts, "inference", tmp_path / "to", "zip")

    with zipfile.ZipFile(tmp_path / "to/inference_artifacts.zip") as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in contents_to_pack()} == contents_to_pack()
