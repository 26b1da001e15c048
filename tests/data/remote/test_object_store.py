"""Every kind of object store is understood, and what one refuses is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from alo.data.export import check_export_target, export_artifacts
from alo.data.location import LocationError
from alo.data.models import check_model_source, fetch_models
from alo.data.remote import fetching
from alo.files import checksum_of
from alo.layout import Workspace

from ..object_store import SOMEBODY, Bucket, Proxy
from .conftest import StageUrl, staged_tree

WriteTree = Callable[..., Path]


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


def test_a_bucket_that_does_not_exist_is_refused(proxy: Proxy, stage_url: StageUrl) -> None:
    with pytest.raises(LocationError, match="s3://no-such-bucket/data"):
        stage_url("s3://no-such-bucket/data")


def test_without_the_extra_the_error_says_what_to_install(
    proxy: Proxy, stage_url: StageUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)

    with pytest.raises(LocationError, match="needs obstore") as caught:
        stage_url("s3://bucket/data")

    assert caught.value.fix == "pip install 'open-alo[remote]'"


ARTIFACTS = {"models/train/m": os.urandom(20_000_000), "log/process.log": "1", "score/s": "2"}


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
