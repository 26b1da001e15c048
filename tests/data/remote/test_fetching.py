"""Objects are fetched whole, whatever breaks off on the way."""

from __future__ import annotations

import os

import pytest

from alo.data.locations import list_sources
from alo.data.remote import fetching
from alo.data.staging import stage
from alo.errors import StagingError
from alo.files import checksum_of
from alo.layout import Workspace

from ..object_store import Bucket, Proxy
from .conftest import StageUrl, staged_tree


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
