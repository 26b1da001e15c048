"""Blobs below a prefix: put whole or not at all, and read again, whatever the line does."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from alo.data.location import LocationError, RemoteLocation
from alo.data.remote.blobs import PART, Blobs

from ..object_store import Bucket, Proxy


@pytest.fixture
def blobs(bucket: Bucket, proxy: Proxy) -> Blobs:
    return Blobs(RemoteLocation(f"s3://{bucket.name}/below/here"))


def read(blobs: Blobs, name: str) -> bytes:
    found = blobs.find(name)
    assert found is not None
    return b"".join(blobs.pieces(name, found))


def test_a_blob_comes_back_as_it_was_put(blobs: Blobs, bucket: Bucket) -> None:
    content = os.urandom(2 * PART + 1)
    assert blobs.find("a/large") is None
    blobs.put("a/large", (content[at : at + PART] for at in range(0, len(content), PART)))
    blobs.put("small", [b"one"])
    blobs.put("small", [b"two"])

    assert (read(blobs, "a/large"), read(blobs, "small")) == (content, b"two")
    assert sorted(bucket.keys()) == ["below/here/a/large", "below/here/small"]
    blobs.remove("small")
    blobs.remove("small")
    assert blobs.find("small") is None


def test_a_whole_bucket_has_no_prefix(bucket: Bucket, proxy: Proxy) -> None:
    Blobs(RemoteLocation(f"s3://{bucket.name}")).put("name", [b"1"])
    assert bucket.keys() == ["name"]


def test_pieces_that_break_off_are_read_again(blobs: Blobs, proxy: Proxy) -> None:
    blobs.put("x", [b"content" * 1000])
    proxy.harm = lambda what, count: "truncate" if what.startswith("GET") and count < 3 else ""
    assert read(blobs, "x") == b"content" * 1000


def test_what_is_not_whole_is_not_there(blobs: Blobs, bucket: Bucket) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x" * (2 * PART)
        raise KeyError("no more")

    with pytest.raises(KeyError):
        blobs.put("x", pieces())
    assert blobs.find("x") is None


def test_the_check_leaves_nothing(blobs: Blobs, bucket: Bucket) -> None:
    blobs.check()
    assert bucket.keys() == []


@pytest.mark.parametrize("method", ["HEAD", "PUT", "GET"])
def test_who_may_not_do_it_is_told(blobs: Blobs, proxy: Proxy, method: str) -> None:
    proxy.harm = lambda what, count: "403" if what.startswith(method) else ""
    with pytest.raises(LocationError, match="no permission") as caught:
        blobs.check()
    assert caught.value.exit_status == 2
    assert "very-secret" not in str(caught.value)


def test_who_only_writes_needs_no_right_to_read(blobs: Blobs, proxy: Proxy) -> None:
    proxy.harm = lambda what, count: "" if what.startswith(("PUT", "DELETE")) else "403"
    blobs.check(reads=False)


def test_a_bucket_that_is_not_there_is_told(proxy: Proxy) -> None:
    blobs = Blobs(RemoteLocation("s3://no-such-bucket/x"))
    with pytest.raises(LocationError, match="no-such-bucket") as caught:
        blobs.check()
    assert "see that the bucket is there" in caught.value.fix
