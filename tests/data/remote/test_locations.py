from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.data.export import check_export_target, export_artifacts
from alo.data.location import LocationError, RemoteLocation
from alo.data.models import check_model_source, fetch_models
from alo.data.remote import locations as remote
from alo.errors import ExportError, StagingError
from alo.files import checksum_of
from alo.layout import Workspace

from ..object_store import Bucket, Proxy
from .conftest import StageUrl, staged_tree

WriteTree = Callable[..., Path]


def test_objects_are_staged_below_the_last_name_of_their_prefix(
    workspace: Workspace, bucket: Bucket, proxy: Proxy, stage_url: StageUrl
) -> None:
    for key in ("a/data/x.csv", "a/data/deep/한글 name.csv", "a/database/no.csv", "other"):
        bucket.put(key, key.encode())
    bucket.put("a/data/", b"")  # as consoles make them, to stand for a folder
    bucket.put("a/data/deep/", b"")

    staged = stage_url(f"s3://{bucket.name}/a/data/")

    assert staged_tree(workspace) == {
        "data/x.csv": b"a/data/x.csv",
        "data/deep/한글 name.csv": "a/data/deep/한글 name.csv".encode(),
    }
    assert staged.files["data/x.csv"] == checksum_of(b"a/data/x.csv")
    assert staged.copied == 2


def test_one_object_is_staged_under_its_own_name(
    workspace: Workspace, bucket: Bucket, proxy: Proxy, stage_url: StageUrl
) -> None:
    bucket.put("a/x.csv", b"1")

    stage_url(f"s3://{bucket.name}/a/x.csv")

    assert staged_tree(workspace) == {"x.csv": b"1"}


def test_what_is_unchanged_is_not_fetched_again(
    bucket: Bucket, proxy: Proxy, stage_url: StageUrl
) -> None:
    for number in range(5):
        bucket.put(f"data/{number}", b"%d" % number)
    first = stage_url(f"s3://{bucket.name}/data")
    proxy.asked.clear()
    bucket.put("data/3", b"new")

    again = stage_url(f"s3://{bucket.name}/data")

    assert proxy.reads() == [f"GET /{bucket.name}/data/3"]
    assert again.copied == 1
    assert again.data_id != first.data_id


def test_local_and_remote_sources_may_be_mixed(
    workspace: Workspace,
    bucket: Bucket,
    proxy: Proxy,
    stage_url: StageUrl,
    write_tree: WriteTree,
) -> None:
    bucket.put("remote/x", b"1")
    local = write_tree("local", {"y": "2"})

    stage_url(f"s3://{bucket.name}/remote", str(local))

    assert staged_tree(workspace) == {"remote/x": b"1", "local/y": b"2"}


@pytest.mark.parametrize("key", ["nothing", "nothing/", "dat"])
def test_a_prefix_that_holds_nothing_is_refused(
    bucket: Bucket, proxy: Proxy, stage_url: StageUrl, key: str
) -> None:
    bucket.put("data/x", b"1")

    with pytest.raises(LocationError, match=r"does not exist, or holds nothing"):
        stage_url(f"s3://{bucket.name}/{key}")


@pytest.mark.parametrize("url", ["s3://", "s3:///x", "s3://bucket", "s3://bucket/"])
def test_a_url_without_a_folder_is_refused(proxy: Proxy, stage_url: StageUrl, url: str) -> None:
    with pytest.raises(LocationError, match="names no"):
        stage_url(url)


def test_a_file_behind_http_is_staged(
    workspace: Workspace, bucket: Bucket, proxy: Proxy, stage_url: StageUrl
) -> None:
    bucket.put("a/x y.csv", b"1,2")
    url = f"{proxy.url}/{bucket.name}/a/x%20y.csv"

    first = stage_url(url)
    proxy.asked.clear()
    again = stage_url(url)

    assert staged_tree(workspace) == {"x y.csv": b"1,2"}
    assert (first.copied, again.copied) == (1, 0)
    assert [asked.rpartition(" ")[2] for asked in proxy.reads()] == ["0-511"]  # a look, no more


def test_a_folder_behind_http_is_refused(proxy: Proxy, bucket: Bucket, stage_url: StageUrl) -> None:
    with pytest.raises(LocationError, match="does not exist") as caught:
        stage_url(f"{proxy.url}/{bucket.name}/data/")

    assert caught.value.fix == "over http, name a file: folders cannot be listed"


def _archive(names: list[str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 3
            archive.addfile(info, io.BytesIO(b"abc"))
    return buffer.getvalue()


def test_models_come_from_an_archive_in_the_store(
    bucket: Bucket, proxy: Proxy, tmp_path: Path
) -> None:
    bucket.put("models/model.tar.gz", _archive(["train/m.pkl"]))
    bucket.put("models/train_artifacts.tar.gz", b"not this")

    source = check_model_source(tmp_path, f"s3://{bucket.name}/models/")
    fetch_models(source, tmp_path / "new")

    assert (tmp_path / "new/train/m.pkl").read_bytes() == b"abc"
    assert sorted(os.listdir(tmp_path / "new")) == ["train"]
    assert not (tmp_path / "new.partial").exists()


def test_models_come_as_they_are_where_there_is_no_archive(
    bucket: Bucket, proxy: Proxy, tmp_path: Path
) -> None:
    bucket.put("models/train/m.pkl", b"abc")
    bucket.put("models/train/deep/m.pkl", b"def")

    fetch_models(check_model_source(tmp_path, f"s3://{bucket.name}/models"), tmp_path / "new")

    assert (tmp_path / "new/train/m.pkl").read_bytes() == b"abc"
    assert (tmp_path / "new/train/deep/m.pkl").read_bytes() == b"def"


def test_models_come_from_an_archive_behind_http(
    bucket: Bucket, proxy: Proxy, tmp_path: Path
) -> None:
    bucket.put("models/model.tar.gz", _archive(["train/m.pkl"]))

    source = check_model_source(tmp_path, f"{proxy.url}/{bucket.name}/models")
    fetch_models(source, tmp_path / "new")

    assert (tmp_path / "new/train/m.pkl").read_bytes() == b"abc"


def test_an_archive_from_a_store_is_no_safer(bucket: Bucket, proxy: Proxy, tmp_path: Path) -> None:
    bucket.put("models/model.tar.gz", _archive(["../m.pkl"]))

    with pytest.raises(StagingError, match="would be written outside"):
        fetch_models(check_model_source(tmp_path, f"s3://{bucket.name}/models"), tmp_path / "new")


@pytest.mark.parametrize("key", ["models", "models/m.pkl"])
def test_a_place_without_models_is_refused(
    bucket: Bucket, proxy: Proxy, tmp_path: Path, key: str
) -> None:
    bucket.put("models/m.pkl" if key != "models" else "other", b"1")

    with pytest.raises(LocationError, match=r"holds nothing|is not a folder"):
        check_model_source(tmp_path, f"s3://{bucket.name}/{key}")


ARTIFACTS = {"models/train/m": os.urandom(20_000_000), "log/process.log": "1", "score/s": "2"}


def test_artifacts_are_saved_to_a_store(
    bucket: Bucket, proxy: Proxy, tmp_path: Path, write_tree: WriteTree
) -> None:
    artifacts = write_tree("train_artifacts", ARTIFACTS)
    target = check_export_target(tmp_path, f"s3://{bucket.name}/to/here/")

    written = export_artifacts(artifacts, "train", target, "tar.gz")

    keys = ["to/here/model.tar.gz", "to/here/process.log", "to/here/train_artifacts.tar.gz"]
    assert bucket.keys() == keys
    assert sorted(map(str, written)) == [f"s3://{bucket.name}/{key}" for key in keys]
    assert {location.name for location in written} == {key.rpartition("/")[2] for key in keys}
    with tarfile.open(fileobj=io.BytesIO(bucket.get(keys[0]))) as models:
        member = models.extractfile("train/m")
        assert member is not None
        assert member.read() == ARTIFACTS["models/train/m"]
    assert os.listdir(tmp_path) == ["train_artifacts"]


def test_a_fault_while_saving_is_overcome(
    bucket: Bucket, proxy: Proxy, tmp_path: Path, write_tree: WriteTree
) -> None:
    artifacts = write_tree("train_artifacts", ARTIFACTS)
    proxy.harm = lambda what, count: "503" if what.startswith("PUT") and count == 1 else ""

    export_artifacts(artifacts, "train", RemoteLocation(f"s3://{bucket.name}/to"), "tar.gz")

    assert len(bucket.keys()) == 3


def test_an_export_that_fails_shows_nothing_new(
    bucket: Bucket,
    proxy: Proxy,
    tmp_path: Path,
    write_tree: WriteTree,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remote, "PARTS_AT_ONCE", 1)
    artifacts = write_tree("train_artifacts", ARTIFACTS)
    bucket.put("to/model.tar.gz", b"old")
    proxy.harm = lambda what, count: (
        "503" if "model.tar.gz" in what and "partNumber=1" in what else ""
    )

    with pytest.raises(ExportError, match=r"the artifacts cannot be saved: s3://"):
        export_artifacts(artifacts, "train", RemoteLocation(f"s3://{bucket.name}/to"), "tar.gz")

    assert bucket.keys() == ["to/model.tar.gz"]
    assert bucket.get("to/model.tar.gz") == b"old"


def test_nothing_can_be_saved_over_http(tmp_path: Path) -> None:
    with pytest.raises(LocationError, match="cannot be saved over http"):
        check_export_target(tmp_path, "https://host/to")
