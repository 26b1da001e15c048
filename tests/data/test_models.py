from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.data.location import LocationError
from alo.data.models import check_model_source, fetch_models
from alo.errors import StagingError

WriteTree = Callable[..., Path]


def test_a_relative_folder_starts_at_the_project(write_tree: WriteTree, tmp_path: Path) -> None:
    folder = write_tree("project/models", {"train/model.pkl": "1"})

    assert check_model_source(tmp_path / "project", "./models/") == folder


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nothing", "does not exist"),
        ("file", "is not a folder"),
        ("empty", "the folder is empty"),
        ("hollow", "the folder is empty"),
    ],
)
def test_a_folder_without_models_is_refused(write_tree: WriteTree, path: str, reason: str) -> None:
    home = write_tree("project", {"file": "1", "empty/": "", "hollow/deep/": ""})

    with pytest.raises(LocationError, match=f"^{path}: {reason}"):
        check_model_source(home, path)


def test_a_folder_of_models_is_copied(write_tree: WriteTree, tmp_path: Path) -> None:
    source = write_tree("models", {"train/model.pkl": "1", "train/models/deep": "2", "e/": ""})
    (source / "link").symlink_to("train/model.pkl")

    fetch_models(source, tmp_path / "new")

    assert (tmp_path / "new/train/model.pkl").read_text() == "1"
    assert (tmp_path / "new/train/models/deep").read_text() == "2"
    assert (tmp_path / "new/e").is_dir()
    assert not (tmp_path / "new/link").is_symlink()
    assert (tmp_path / "new/link").read_text() == "1"


def test_an_archive_in_the_folder_is_unpacked(make_tar, tmp_path: Path) -> None:
    archive = make_tar().file("train/model.pkl", b"1").done()
    (archive.parent / "beside.txt").write_text("not a model")

    fetch_models(archive.parent, tmp_path / "new")

    assert sorted(os.listdir(tmp_path / "new")) == ["train"]
    assert (tmp_path / "new/train/model.pkl").read_bytes() == b"1"


def test_an_archive_without_a_file_is_refused(make_tar, tmp_path: Path) -> None:
    import tarfile

    archive = make_tar().member("train", tarfile.DIRTYPE).done()

    with pytest.raises(StagingError, match=r"the model cannot be loaded: .* holds no file"):
        fetch_models(archive.parent, tmp_path / "new")


def test_a_refused_archive_says_why_and_what_to_do(make_tar, tmp_path: Path) -> None:
    archive = make_tar().file("../x").done()

    with pytest.raises(StagingError, match=r"holds '\.\./x', which would be written outside") as e:
        fetch_models(archive.parent, tmp_path / "new")

    assert e.value.fix == "do not use this archive unless you know who made it"
    assert e.value.where == str(archive.parent)


def test_limits_may_be_set_in_the_environment(
    make_tar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = make_tar().file("a").file("b").done()
    monkeypatch.setenv("ALO_ARCHIVE_MAX_FILES", "1")

    with pytest.raises(StagingError, match="more than 1 files"):
        fetch_models(archive.parent, tmp_path / "new")
