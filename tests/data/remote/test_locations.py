from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from alo.data.export import check_export_target, export_artifacts
from alo.data.location import Access, LocationError, RemoteLocation
from alo.data.locations import list_sources
from alo.data.models import check_model_source, fetch_models
from alo.data.remote import fetching
from alo.data.remote import locations as remote
from alo.data.staging import Staged, stage
from alo.errors import ExportError, StagingError
from alo.files import checksum_of
from alo.layout import Workspace

from ..object_store import SOMEBODY, Bucket, Proxy

WriteTree = Callable[..., Path]


@pytest.fixture
def stage_url(workspace: Workspace) -> Callable[..., Staged]:
    def run(*urls: str, access: Access = Access()) -> Staged:  # noqa: B008
        sources = list_sources(workspace.home, urls, workspace.input("train"), access)
        return stage(workspace, "train", sources, lambda done, total: None, access)

    return run


StageUrl = Callable[..., Staged]


def staged_tree(workspace: Workspace) -> dict[str, bytes]:
    root = workspace.input("train")
    files = [path for path in root.rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


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


@pytest.mark.parametrize("harm", ["503", "reset", "truncate", "slow", "shorter"])
def test_faults_on_the_way_are_overcome(
    workspace: Workspace, bucket: Bucket, proxy: Proxy, stage_url: StageUrl, harm: str
) -> None:
    contents = {f"data/{number}": os.urandom(3000) for number in range(6)}
    for key, content in contents.items():
        bucket.put(key, content)
    proxy.harm = lambda what, count: harm if "/data/" in what and count <= 2 else ""

    stage_url(f"s3://{bucket.name}/data")

    assert staged_tree(workspace) == contents


@pytest.mark.parametrize("harm", ["503", "reset", "truncate", "slow", "shorter"])
def test_faults_in_the_parts_of_a_large_object_are_overcome(
    workspace: Workspace,
    bucket: Bucket,
    proxy: Proxy,
    stage_url: StageUrl,
    monkeypatch: pytest.MonkeyPatch,
    harm: str,
) -> None:
    monkeypatch.setattr(fetching, "PART", 100_000)
    content = os.urandom(730_001)
    bucket.put("data/big", content)
    proxy.harm = lambda what, count: harm if "/big" in what and count <= 2 else ""

    staged = stage_url(f"s3://{bucket.name}/data")

    assert staged_tree(workspace) == {"data/big": content}
    assert staged.files["data/big"] == checksum_of(content)
    assert not list(workspace.internal.glob("*.partial"))


def test_a_second_try_fetches_only_what_is_missing(
    workspace: Workspace,
    bucket: Bucket,
    proxy: Proxy,
    stage_url: StageUrl,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetching, "PART", 100_000)
    monkeypatch.setattr(fetching, "PARTS_AT_ONCE", 1)
    content = os.urandom(730_001)
    bucket.put("data/big", content)
    bucket.put("data/small", b"1")
    proxy.harm = lambda what, count: "503" if "500000-" in what else ""
    with pytest.raises(StagingError, match=r"cannot stage s3://.*data/big"):
        stage_url(f"s3://{bucket.name}/data")
    proxy.asked.clear()
    proxy.harm = lambda what, count: ""

    stage_url(f"s3://{bucket.name}/data")

    assert staged_tree(workspace) == {"data/big": content, "data/small": b"1"}
    assert [asked.rpartition(" ")[2] for asked in sorted(proxy.reads())] == [
        "500000-599999",
        "600000-699999",
        "700000-730000",
    ]


def test_a_server_that_stays_down_is_named_without_secrets(
    bucket: Bucket, proxy: Proxy, stage_url: StageUrl
) -> None:
    bucket.put("data/x", b"1")
    proxy.harm = lambda what, count: "503" if "/data/x" in what else ""

    with pytest.raises(StagingError, match=r"cannot stage s3://.*/data/x: ") as caught:
        stage_url(f"s3://{bucket.name}/data")

    assert "what has come is kept" in caught.value.fix
    assert "very-secret" not in str(caught.value)
    assert "AKIDEXAMPLE" not in str(caught.value)


@pytest.mark.parametrize("part", [100, 10_000])
def test_an_object_that_is_replaced_after_the_listing_is_found(
    workspace: Workspace,
    bucket: Bucket,
    proxy: Proxy,
    monkeypatch: pytest.MonkeyPatch,
    part: int,
) -> None:
    monkeypatch.setattr(fetching, "PART", part)
    bucket.put("data/x", b"1" * 1000)
    urls = [f"s3://{bucket.name}/data"]
    sources = list_sources(workspace.home, urls, workspace.input("train"))
    bucket.put("data/x", b"2" * 1000)

    with pytest.raises(StagingError, match=r"data/x was replaced meanwhile"):
        stage(workspace, "train", sources, lambda done, total: None)

    assert staged_tree(workspace) == {}


def test_a_store_that_lists_etags_without_quotes_is_understood(
    workspace: Workspace, bucket: Bucket, proxy: Proxy, stage_url: StageUrl
) -> None:
    content = os.urandom(fetching.PART + 1)
    bucket.put("data/large", content)
    bucket.put("data/small", b"1")
    proxy.unquotes_etags = True

    stage_url(f"s3://{bucket.name}/data")

    assert staged_tree(workspace) == {"data/large": content, "data/small": b"1"}
    assert stage_url(f"s3://{bucket.name}/data").copied == 0


def test_google_storage_goes_the_same_way(
    workspace: Workspace,
    bucket: Bucket,
    proxy: Proxy,
    stage_url: StageUrl,
    tmp_path: Path,
    write_tree: WriteTree,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its XML API is that of S3, but for who asks: moto stands for it."""
    account = {"gcs_base_url": proxy.url, "disable_oauth": True}
    empty = {"client_email": "", "private_key": "", "private_key_id": ""}
    (tmp_path / "account.json").write_text(json.dumps({**account, **empty}))
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(tmp_path / "account.json"))
    proxy.headers = dict(SOMEBODY)
    artifacts = write_tree("train_artifacts", ARTIFACTS)
    target = check_export_target(tmp_path, f"gs://{bucket.name}/to")
    export_artifacts(artifacts, "train", target, "tar.gz")

    staged = stage_url(f"gs://{bucket.name}/to")
    source = check_model_source(tmp_path, f"gs://{bucket.name}/to")
    fetch_models(source, tmp_path / "models")

    assert sorted(staged_tree(workspace)) == [
        "to/model.tar.gz",
        "to/process.log",
        "to/train_artifacts.tar.gz",
    ]
    assert staged.copied == 3
    assert stage_url(f"gs://{bucket.name}/to").copied == 0
    assert (tmp_path / "models/train/m").read_bytes() == ARTIFACTS["models/train/m"]


@pytest.mark.parametrize("key", ["nothing", "nothing/", "dat"])
def test_a_prefix_that_holds_nothing_is_refused(
    bucket: Bucket, proxy: Proxy, stage_url: StageUrl, key: str
) -> None:
    bucket.put("data/x", b"1")

    with pytest.raises(LocationError, match=r"does not exist, or holds nothing"):
        stage_url(f"s3://{bucket.name}/{key}")


def test_a_bucket_that_does_not_exist_is_refused(proxy: Proxy, stage_url: StageUrl) -> None:
    with pytest.raises(LocationError, match="s3://no-such-bucket/data"):
        stage_url("s3://no-such-bucket/data")


@pytest.mark.parametrize("url", ["s3://", "s3:///x", "s3://bucket", "s3://bucket/"])
def test_a_url_without_a_folder_is_refused(proxy: Proxy, stage_url: StageUrl, url: str) -> None:
    with pytest.raises(LocationError, match="names no"):
        stage_url(url)


def test_the_profile_of_the_plan_is_used(
    workspace: Workspace,
    bucket: Bucket,
    proxy: Proxy,
    stage_url: StageUrl,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket.put("data/x", b"1")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    (tmp_path / "no-config").write_text(
        f"[profile mine]\nregion = eu-west-1\nendpoint_url = {proxy.url}\n"
    )
    (tmp_path / "no-credentials").write_text(
        "[mine]\naws_access_key_id = KEY\naws_secret_access_key = SECRET\n"
    )

    stage_url(f"s3://{bucket.name}/data", access=Access("mine"))

    assert staged_tree(workspace) == {"data/x": b"1"}


def test_a_profile_that_does_not_exist_is_named(proxy: Proxy, stage_url: StageUrl) -> None:
    with pytest.raises(LocationError, match="no AWS profile 'mine'; known: none"):
        stage_url("s3://bucket/data", access=Access("mine"))


def test_without_the_extra_the_error_says_what_to_install(
    proxy: Proxy, stage_url: StageUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)

    with pytest.raises(LocationError, match="needs obstore") as caught:
        stage_url("s3://bucket/data")

    assert caught.value.fix == "pip install 'open-alo[remote]'"


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


def test_local_work_imports_nothing_of_the_extra(
    workspace: Workspace, write_tree: WriteTree
) -> None:
    write_tree("project/data", {"x": "1"})
    code = (
        "import sys; before = set(sys.modules); from pathlib import Path\n"
        "from alo.data.locations import list_sources; from alo.data.staging import stage\n"
        "from alo.layout import Workspace; workspace = Workspace(Path(sys.argv[1]))\n"
        "files = list_sources(workspace.home, ['data'], workspace.input('train'))\n"
        "stage(workspace, 'train', files, lambda done, total: None)\n"
        "print(*set(sys.modules) - before)"
    )
    command = [sys.executable, "-c", code, str(workspace.home)]
    imported = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    heavy = {
        "obstore",
        "concurrent.futures",
        "urllib.request",
        "queue",
        "shutil",
        "tempfile",
        "isal",
    }
    assert not heavy & set(imported)


@pytest.fixture
def plain_server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server that knows neither parts nor ETags, and the folder behind it."""
    folder = tmp_path / "www"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", folder
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("part", [1000, 1 << 20])
def test_a_server_without_parts_and_etags_will_do(
    workspace: Workspace,
    plain_server: tuple[str, Path],
    stage_url: StageUrl,
    monkeypatch: pytest.MonkeyPatch,
    part: int,
) -> None:
    monkeypatch.setattr(fetching, "PART", part)
    url, folder = plain_server
    content = os.urandom(50_000)
    (folder / "x.csv").write_bytes(content)

    first = stage_url(f"{url}/x.csv")
    again = stage_url(f"{url}/x.csv")
    (folder / "x.csv").write_bytes(b"new")
    changed = stage_url(f"{url}/x.csv")

    assert (first.copied, again.copied, changed.copied) == (1, 0, 1)
    assert first.files["x.csv"] == checksum_of(content)
    assert staged_tree(workspace) == {"x.csv": b"new"}
