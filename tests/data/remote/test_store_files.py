"""What keys of a store are as files and folders, whatever has been made of them there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.data.location import LocationError
from alo.data.locations import list_sources
from alo.data.models import check_model_source, fetch_models
from alo.data.staging import Staged, stage
from alo.errors import StagingError
from alo.layout import Workspace

from ..object_store import Bucket, Proxy

StageKey = Callable[..., Staged]

KEYS = "abc 1+%20#?*~[]{}\"\\|^<>&;:=@,$!'(`é한"


@pytest.fixture
def stage_key(workspace: Workspace, bucket: Bucket, proxy: Proxy) -> StageKey:
    """Stages what is at a key of the bucket."""

    def run(key: str = "d/") -> Staged:
        urls = [f"s3://{bucket.name}/{key}"]
        sources = list_sources(workspace.home, urls, workspace.input("train"))
        return stage(workspace, "train", sources, lambda done, total: None)

    return run


def tree_of(workspace: Workspace) -> dict[str, bytes | None]:
    """Files, and folders that are empty."""
    root = workspace.input("train")
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(root.rglob("*"))
        if path.is_file() or not os.listdir(path)
    }


FOLDERS: dict[str, tuple[dict[str, bytes], dict[str, bytes | None]]] = {
    "an empty folder of a console": ({"d/a": b"1", "d/e/": b""}, {"d/a": b"1", "d/e": None}),
    "a marker of a full folder": ({"d/": b"", "d/e/": b"", "d/e/a": b"1"}, {"d/e/a": b"1"}),
    "empty folders in each other": ({"d/e/": b"", "d/e/f/": b""}, {"d/e/f": None}),
    "nothing but the marker": ({"d/": b""}, {"d": None}),
    "an empty folder of Hadoop": (
        {"d/a": b"1", "d/e_$folder$": b""},
        {"d/a": b"1", "d/e": None},
    ),
    "Hadoop's marker of a full folder": (
        {"d/e_$folder$": b"", "d/e/a": b"1", "d_$folder$": b""},
        {"d/e/a": b"1"},
    ),
    "a file that is only called like Hadoop's": ({"d/e_$folder$": b"1"}, {"d/e_$folder$": b"1"}),
    "a marker without a slash": ({"d/e": b"", "d/e/a": b"1"}, {"d/e/a": b"1"}),
    "an empty file": ({"d/e": b"", "d/a": b"1"}, {"d/e": b"", "d/a": b"1"}),
    "an empty file next to its marker": ({"d/e": b"", "d/e/": b""}, {"d/e": b""}),
    "a file next to a marker of its name": ({"d/e": b"1", "d/e/": b""}, {"d/e": b"1"}),
    "neighbours that begin alike": (
        {"d/a": b"1", "d2/a": b"2", "d-x": b"3", "dd": b"4"},
        {"d/a": b"1"},
    ),
    "any letters": ({f"d/{KEYS}/{KEYS}": b"1"}, {f"d/{KEYS}/{KEYS}": b"1"}),
    "the longest name": ({f"d/{'x' * 255}": b"1"}, {f"d/{'x' * 255}": b"1"}),
}


@pytest.mark.parametrize(("keys", "tree"), FOLDERS.values(), ids=FOLDERS)
def test_keys_become_files_and_folders(
    workspace: Workspace,
    bucket: Bucket,
    stage_key: StageKey,
    keys: dict[str, bytes],
    tree: dict[str, bytes | None],
) -> None:
    for key, content in keys.items():
        bucket.put(key, content)

    first = stage_key()
    again = stage_key()

    assert tree_of(workspace) == tree
    assert again.copied == 0
    assert first.data_id == again.data_id


def test_an_empty_folder_counts_as_on_a_local_disk(
    workspace: Workspace, bucket: Bucket, stage_key: StageKey, tmp_path: Path
) -> None:
    (tmp_path / "d/e").mkdir(parents=True)
    (tmp_path / "d/a").write_bytes(b"1")
    local = list_sources(workspace.home, [str(tmp_path / "d")], workspace.input("train"))
    there = stage(workspace, "train", local, lambda done, total: None)
    before = tree_of(workspace)
    bucket.put("d/a", b"1")
    bucket.put("d/e/", b"")

    assert stage_key().data_id == there.data_id
    assert tree_of(workspace) == before


@pytest.mark.parametrize(
    ("key", "reported"),
    [
        ("d//b", "cannot be that of a file"),
        ("d/./b", "cannot be that of a file"),
        ("d/../b", "cannot be that of a file"),
        ("d/a\tb", "cannot be that of a file"),
        ("d/a\x01b", "cannot be that of a file"),
        (f"d/{'x' * 256}", "a name of 256 bytes"),
        (f"d/{'한' * 86}/a", "a name of 258 bytes"),
    ],
)
def test_a_key_that_no_file_can_have_is_reported_by_the_check(
    workspace: Workspace, bucket: Bucket, stage_key: StageKey, key: str, reported: str
) -> None:
    bucket.put("d/a", b"1")
    bucket.put(key, b"2")

    with pytest.raises(LocationError, match=reported) as caught:
        stage_key()

    assert caught.value.fix
    assert tree_of(workspace) == {}


def test_an_object_and_a_folder_of_one_name_are_reported(
    bucket: Bucket, stage_key: StageKey
) -> None:
    bucket.put("d/e", b"1")
    bucket.put("d/e/a", b"2")

    with pytest.raises(LocationError, match=r"/d/e: an object and a folder at once"):
        stage_key()


def test_a_source_that_is_both_has_to_say_which(
    workspace: Workspace, bucket: Bucket, stage_key: StageKey
) -> None:
    bucket.put("d", b"the object")
    bucket.put("d/a", b"1")

    with pytest.raises(LocationError, match="an object and a folder at once") as caught:
        stage_key("d")
    assert "end the path with a /" in caught.value.fix

    stage_key("d/")
    assert tree_of(workspace) == {"d/a": b"1"}


@pytest.mark.parametrize("key", ["d", "d/"])
def test_an_empty_object_beside_a_folder_stands_for_it(
    workspace: Workspace, bucket: Bucket, stage_key: StageKey, key: str
) -> None:
    bucket.put("d", b"")
    bucket.put("d/a", b"1")

    stage_key(key)

    assert tree_of(workspace) == {"d/a": b"1"}


def test_more_objects_than_one_page_has_are_all_there(bucket: Bucket, stage_key: StageKey) -> None:
    for number in range(1003):
        bucket.put(f"d/{number:04}", b"")
    bucket.put("d/e/", b"")

    staged = stage_key()

    assert len(staged.files) == 1003


def test_who_may_read_an_object_and_not_list_gets_it(
    workspace: Workspace, bucket: Bucket, proxy: Proxy, stage_key: StageKey
) -> None:
    bucket.put("d/x.csv", b"1")
    proxy.harm = lambda what, count: "403" if "list-type" in what else ""

    stage_key("d/x.csv")

    assert tree_of(workspace) == {"x.csv": b"1"}
    with pytest.raises(LocationError, match="no permission, or wrong credentials"):
        stage_key("d/")


@pytest.mark.parametrize("kind", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_object_is_reported_with_what_to_do(
    workspace: Workspace, bucket: Bucket, stage_key: StageKey, kind: str
) -> None:
    bucket.put("d/a", b"1", **{"x-amz-storage-class": kind})

    with pytest.raises(StagingError, match=r"/d/a is archived in its store") as caught:
        stage_key()

    assert "restore it there first" in caught.value.fix
    assert tree_of(workspace) == {"d": None}


def test_the_requester_pays_where_the_environment_says_so(
    bucket: Bucket, proxy: Proxy, stage_key: StageKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REQUEST_PAYER", "true")
    bucket.put("d/a", b"1")

    stage_key()

    assert proxy.payers == {"requester"}


def test_an_object_in_many_parts_is_known_by_its_etag(bucket: Bucket, stage_key: StageKey) -> None:
    content = os.urandom(6_000_000)
    bucket.put_in_parts("d/a", [content[:5_500_000], content[5_500_000:]])

    assert [stage_key().copied, stage_key().copied] == [1, 0]


def test_empty_folders_of_a_model_do_no_harm(bucket: Bucket, proxy: Proxy, tmp_path: Path) -> None:
    bucket.put("models/", b"")
    bucket.put("models/train/", b"")
    bucket.put("models/train/m", b"1")
    bucket.put("models/other/", b"")

    fetch_models(check_model_source(tmp_path, f"s3://{bucket.name}/models/"), tmp_path / "new")

    assert (tmp_path / "new/train/m").read_bytes() == b"1"
    assert (tmp_path / "new/other").is_dir()


def test_a_place_of_empty_folders_only_holds_no_model(
    bucket: Bucket, proxy: Proxy, tmp_path: Path
) -> None:
    bucket.put("models/train/", b"")

    with pytest.raises(LocationError, match="holds no file"):
        check_model_source(tmp_path, f"s3://{bucket.name}/models")
