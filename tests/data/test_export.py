from __future__ import annotations

import errno
import os
import random
import signal
import stat
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alo.data import export
from alo.data.archives import blocks, pack
from alo.data.archives.pack import TarTarget, list_members, pack_tars, pack_zip
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


def test_links_are_packed_as_what_they_point_to(write_tree: WriteTree, tmp_path: Path) -> None:
    outside = write_tree("outside", {"x": "1"})
    artifacts = write_tree("train_artifacts", {"models/real": "2"})
    (artifacts / "models/file").symlink_to(outside / "x")
    (artifacts / "models/folder").symlink_to(outside)
    (artifacts / "models/lost").symlink_to("nowhere")
    (artifacts / "models/again").symlink_to(artifacts)
    os.mkfifo(artifacts / "models/pipe")

    export_artifacts(artifacts, "train", tmp_path / "to", "tar.gz")

    assert names(tmp_path / "to/model.tar.gz") == ["file", "folder/x", "real"]


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


def _contents() -> dict[str, bytes]:
    chance = random.Random(1)  # noqa: S311 - the same in every test
    text = " ".join(str(chance.random()) for _ in range(90_000)).encode()
    return {
        "empty": b"",
        "models/random": chance.randbytes(1_300_000),
        "models/text": text,
        "models/block": text[: blocks.BLOCK_BYTES],
        "models/한글 이름": b"\0" * 70_000,
        "models/" + "long/" * 30 + "n" * 120: b"1",
        "z/small": b"2",
        **{f"many/{number}": b"%d" % number for number in range(50)},
    }


@pytest.fixture
def folder(write_tree: WriteTree) -> Path:
    root = write_tree("train_artifacts", {**_contents(), "models/hollow/": ""})
    (root / "models/text").chmod(0o4755)
    os.utime(root / "models/text", (1e9, 1e9))
    os.utime(root / "z/small", (-5, -5))
    return root


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
        for name, content in _contents().items():
            member = archive.extractfile(name)
            assert member is not None
            assert member.read() == content


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
        assert {name: archive.read(name) for name in _contents()} == _contents()


def test_what_is_dense_is_stored_and_what_is_not_shrinks(folder: Path, tmp_path: Path) -> None:
    export_artifacts(folder, "train", tmp_path / "to", "tar.gz")

    size = (tmp_path / "to/model.tar.gz").stat().st_size
    text = len(_contents()["models/text"])
    assert 1_300_000 < size < 1_300_000 + 0.75 * text


def test_a_log_that_grows_meanwhile_is_packed_as_it_was(
    write_tree: WriteTree, tmp_path: Path
) -> None:
    root = write_tree("train_artifacts", {"log": "1"})
    members = list_members(root)
    with open(root / "log", "a") as log:
        log.write("more")

    with open(tmp_path / "x.tar.gz", "wb") as file:
        pack_tars(members, [TarTarget(file)])

    with tarfile.open(tmp_path / "x.tar.gz") as archive:
        assert archive.getmember("log").size == 1


def test_a_file_that_shrinks_meanwhile_fails_the_export(
    write_tree: WriteTree, tmp_path: Path
) -> None:
    root = write_tree("train_artifacts", {"log": "12"})
    members = list_members(root)
    (root / "log").write_text("1")

    with (
        open(tmp_path / "x.tar.gz", "wb") as file,
        pytest.raises(ExportError, match="became shorter"),
    ):
        pack_tars(members, [TarTarget(file)])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    tree=st.dictionaries(
        st.text("ab한", min_size=1, max_size=130), st.binary(max_size=2000), max_size=5
    ),
    block=st.sampled_from([64, 512, 1 << 20]),
    shared=st.sampled_from([0, 100, 10**6]),
)
def test_any_content_comes_out_of_both_formats(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, bytes], block: int, shared: int
) -> None:
    base = tmp_path_factory.mktemp("any")
    root = base / "a" / "models"
    root.mkdir(parents=True)
    tree = {name: content for name, content in tree.items() if len(name.encode()) < 256}
    for name, content in tree.items():
        (root / name).write_bytes(content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_BYTES", block)
        patch.setattr(pack, "BLOCK_BYTES", block)
        patch.setattr(pack, "SHARED_FROM", shared)
        with open(base / "all", "wb") as every, open(base / "part", "wb") as part:
            pack_tars(list_members(base / "a"), [TarTarget(every), TarTarget(part, "models/")])
        with open(base / "zip", "wb") as file:
            pack_zip(list_members(base / "a"), file)

    assert _tar_content(base / "all") == {f"models/{name}": tree[name] for name in tree}
    assert _tar_content(base / "part") == tree
    with zipfile.ZipFile(base / "zip") as archive:
        assert archive.testzip() is None
        assert {name: archive.read(f"models/{name}") for name in tree} == tree


def _tar_content(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        files = [member for member in archive if member.isfile()]
        return {member.name: archive.extractfile(member).read() for member in files}


ODD_NAMES = ("\udce9.bin", "a\\b", "C:", "-rf", " ", "한", "a\nb", "x" * 250, "\udcc7" * 120)


@pytest.mark.parametrize("archive_format", ["tar.gz", "zip"])
def test_any_name_that_a_file_has_is_packed_and_read_by_others(
    tmp_path: Path, archive_format: str
) -> None:
    artifacts = tmp_path / "inference_artifacts"
    artifacts.mkdir()
    for name in ODD_NAMES:
        (artifacts / name).write_bytes(b"1")

    export_artifacts(artifacts, "inference", tmp_path / "to", archive_format)

    archive = tmp_path / f"to/inference_artifacts.{archive_format}"
    if archive_format == "tar.gz":
        assert set(names(archive)) == set(ODD_NAMES)
        return
    with zipfile.ZipFile(archive) as opened:
        found = {
            info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")
            for info in opened.infolist()
        }
        assert opened.testzip() is None
    assert found == {os.fsencode(name) for name in ODD_NAMES}


@pytest.mark.parametrize("archive_format", ["tar.gz", "zip"])
@pytest.mark.parametrize("seconds", [-86400 * 365 * 5, 0, 2**33, 2**34 + 1])
def test_any_time_that_a_file_has_is_packed(
    tmp_path: Path, archive_format: str, seconds: int
) -> None:
    artifacts = tmp_path / "inference_artifacts"
    artifacts.mkdir()
    (artifacts / "a").write_bytes(b"1")
    os.utime(artifacts / "a", (seconds, seconds))
    there = int((artifacts / "a").stat().st_mtime)  # some disks know fewer times

    export_artifacts(artifacts, "inference", tmp_path / "to", archive_format)

    archive = tmp_path / f"to/inference_artifacts.{archive_format}"
    assert names(archive) == ["a"]
    if archive_format == "tar.gz":
        with tarfile.open(archive) as opened:
            assert opened.getmember("a").mtime == there


def test_what_a_disk_of_the_network_tells_late_is_told_before_anything_is_to_be_seen(
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
