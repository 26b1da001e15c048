from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.data import export
from alo.data.export import check_export_target, export_artifacts
from alo.data.location import LocationError
from alo.errors import ExportError
from alo.mounts import Mount

WriteTree = Callable[..., Path]
LOGS = {"log/process.log": "engine", "log/pipeline.log": "asset"}


def names(archive: Path) -> list[str]:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as opened:
            return sorted(name for name in opened.namelist() if not name.endswith("/"))
    with tarfile.open(archive) as opened:
        return sorted(member.name for member in opened if member.isfile())


def test_a_train_run_leaves_two_archives_and_its_logs(
    write_tree: WriteTree, tmp_path: Path
) -> None:
    artifacts = write_tree(
        "train_artifacts",
        {
            "models/train/model.pkl": "1",
            "models/train/models/deep": "2",
            "score/s.yaml": "3",
            **LOGS,
        },
    )

    written = export_artifacts(artifacts, "train", tmp_path / "to/here", "zip")

    assert sorted(path.name for path in written) == sorted(os.listdir(tmp_path / "to/here"))
    assert names(tmp_path / "to/here/train_artifacts.tar.gz") == [
        "log/pipeline.log",
        "log/process.log",
        "models/train/model.pkl",
        "models/train/models/deep",
        "score/s.yaml",
    ]
    assert names(tmp_path / "to/here/model.tar.gz") == ["train/model.pkl", "train/models/deep"]
    assert (tmp_path / "to/here/process.log").read_text() == "engine"
    assert (tmp_path / "to/here/pipeline.log").read_text() == "asset"


@pytest.mark.parametrize("archive_format", ["tar.gz", "zip"])
def test_an_inference_run_has_the_format_of_the_plan(
    write_tree: WriteTree, tmp_path: Path, archive_format: str
) -> None:
    artifacts = write_tree("inference_artifacts", {"output/o.csv": "1", "models/": "", **LOGS})

    written = export_artifacts(artifacts, "inference", tmp_path / "to", archive_format)

    archive = f"inference_artifacts.{archive_format}"
    assert [path.name for path in written] == [archive, "process.log", "pipeline.log"]
    assert names(tmp_path / "to" / archive) == [
        "log/pipeline.log",
        "log/process.log",
        "output/o.csv",
    ]


@pytest.mark.parametrize("archive_format", ["tar.gz", "zip"])
def test_models_of_an_inference_run_come_along(
    write_tree: WriteTree, tmp_path: Path, archive_format: str
) -> None:
    artifacts = write_tree("inference_artifacts", {"output/o.csv": "1", "models/a/m": "2"})

    export_artifacts(artifacts, "inference", tmp_path / "to", archive_format)

    assert names(tmp_path / "to/model.tar.gz") == ["a/m"]


def test_what_was_exported_before_is_replaced(write_tree: WriteTree, tmp_path: Path) -> None:
    artifacts = write_tree("inference_artifacts", {"output/old.csv": "1"})
    export_artifacts(artifacts, "inference", tmp_path / "to", "tar.gz")
    (artifacts / "output/old.csv").rename(artifacts / "output/new.csv")

    export_artifacts(artifacts, "inference", tmp_path / "to", "tar.gz")

    assert names(tmp_path / "to/inference_artifacts.tar.gz") == ["output/new.csv"]


def test_a_failed_export_shows_nothing_new(
    write_tree: WriteTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifacts = write_tree("train_artifacts", {"models/m": "1", **LOGS})
    target = write_tree("to", {"train_artifacts.tar.gz": "old", "other": "2"})

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "_copy", fail)
    with pytest.raises(ExportError, match="No space left on device") as caught:
        export_artifacts(artifacts, "train", target, "tar.gz")

    assert caught.value.fix.startswith("make room for 12 bytes on the disk")
    assert sorted(os.listdir(target)) == ["other", "train_artifacts.tar.gz"]
    assert (target / "train_artifacts.tar.gz").read_text() == "old"


def test_a_folder_in_the_way_is_found_before_anything_is_replaced(
    write_tree: WriteTree, tmp_path: Path
) -> None:
    artifacts = write_tree("train_artifacts", {"models/m": "1"})
    target = write_tree("to", {"train_artifacts.tar.gz": "old", "model.tar.gz/x": ""})

    with pytest.raises(ExportError, match="a folder has the name of a file to be saved"):
        export_artifacts(artifacts, "train", target, "tar.gz")

    assert (target / "train_artifacts.tar.gz").read_text() == "old"


def test_what_a_killed_export_left_goes_with_the_next(
    write_tree: WriteTree, tmp_path: Path
) -> None:
    artifacts = write_tree("train_artifacts", {"models/m": "1"})
    target = tmp_path / "to"
    target.mkdir()
    code = (
        "import sys, time; from pathlib import Path; from alo.files import claim_temporary\n"
        "kept = claim_temporary(Path(sys.argv[1]) / 'train_artifacts.tar.gz')\n"
        "print('claimed', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(target)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()

    export_artifacts(artifacts, "train", target, "tar.gz")
    during = len(os.listdir(target))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    export_artifacts(artifacts, "train", target, "tar.gz")

    assert during == 3  # another's file that is still being written is left alone
    assert sorted(os.listdir(target)) == ["model.tar.gz", "train_artifacts.tar.gz"]


def test_a_small_export_starts_no_threads_and_imports_little(
    write_tree: WriteTree, tmp_path: Path
) -> None:
    artifacts = write_tree("inference_artifacts", {"output/o.csv": "1", **LOGS})
    code = (
        "import sys; before = set(sys.modules); from pathlib import Path\n"
        "from alo.data.export import export_artifacts\n"
        "export_artifacts(Path(sys.argv[1]), 'inference', Path(sys.argv[2]), 'tar.gz')\n"
        "print(*set(sys.modules) - before)"
    )
    command = [sys.executable, "-c", code, str(artifacts), str(tmp_path / "to")]
    imported = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    heavy = {"tarfile", "zipfile", "shutil", "concurrent.futures", "isal", "tempfile", "obstore"}
    assert not heavy & set(imported)


@pytest.mark.parametrize(
    ("path", "reason"), [("file", "is a file"), ("file/below", "is a file"), ("link", "is a file")]
)
def test_a_target_that_cannot_be_a_folder_is_refused(
    write_tree: WriteTree, path: str, reason: str
) -> None:
    home = write_tree("project", {"file": "1"})
    (home / "link").symlink_to("file")

    with pytest.raises(LocationError, match=reason):
        check_export_target(home, path)


def test_a_target_without_permission_is_refused(unprivileged: Path) -> None:
    unprivileged.chmod(0o500)

    with pytest.raises(LocationError, match="no permission to write"):
        check_export_target(unprivileged, "to/here")


def test_a_target_that_is_not_there_yet_is_fine(tmp_path: Path) -> None:
    assert check_export_target(tmp_path, "to/here") == tmp_path / "to/here"
    assert not (tmp_path / "to").exists()


def test_what_a_disk_of_the_network_tells_late_is_reported_before_anything_is_to_be_seen(
    write_tree: WriteTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifacts = write_tree("train_artifacts", {"models/m": "1", **LOGS})
    monkeypatch.setattr(export, "mount_of", lambda folder: Mount("nfs4", frozenset()))

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(ExportError, match="No space left"):
        export_artifacts(artifacts, "train", tmp_path / "to", "tar.gz")

    assert os.listdir(tmp_path / "to") == []


def test_a_link_into_the_engines_own_folders_is_no_target(write_tree: WriteTree) -> None:
    home = write_tree("project", {"train_artifacts/": ""})
    (home / "out").symlink_to("train_artifacts")

    with pytest.raises(LocationError, match="the engine's own"):
        check_export_target(home, "out/below")


@pytest.mark.parametrize("path", [".", "./", "./export", "../elsewhere"])
def test_the_projects_own_folder_and_what_is_beside_it_are_targets(
    write_tree: WriteTree, path: str
) -> None:
    home = write_tree("project", {})

    check_export_target(home, path)


def test_a_folder_that_may_not_be_read_is_named(unprivileged: Path) -> None:
    closed = unprivileged / "train_artifacts/closed"
    closed.mkdir(parents=True)
    closed.chmod(0)

    with pytest.raises(ExportError, match="Permission denied") as caught:
        export_artifacts(closed.parent, "train", unprivileged / "to", "tar.gz")

    assert caught.value.where == str(closed)
