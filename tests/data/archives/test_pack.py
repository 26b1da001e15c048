"""What is packed comes out as it was, whatever its names, times and contents."""

from __future__ import annotations

import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alo.data.archives import blocks, pack
from alo.data.archives.pack import TarTarget, list_members, pack_tars, pack_zip
from alo.data.export import export_artifacts
from alo.errors import ExportError

WriteTree = Callable[..., Path]


def names(archive: Path) -> list[str]:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as opened:
            return sorted(name for name in opened.namelist() if not name.endswith("/"))
    with tarfile.open(archive) as opened:
        return sorted(member.name for member in opened if member.isfile())


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
