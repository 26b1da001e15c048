"""Names in URLs come out as they went in, whatever is in them."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.serve.http_api.paths import decoded, encoded, path_as_sent


@given(st.binary(max_size=40))
def test_every_name_comes_back(raw: bytes) -> None:
    name = os.fsdecode(raw)

    assert "/" not in encoded(name)
    assert decoded(encoded(name)) == name


def scope(raw: bytes | None, path: str = "") -> Any:
    return {"raw_path": raw, "path": path}


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"/v1/a", "/v1/a"),
        (b"/v1/a?x=1", "/v1/a"),
        (b"/v1/a/", "/v1/a"),
        (b"/", "/"),
        (b"", "/"),
        (b"/v1/a%2Fb", "/v1/a%2Fb"),
        (b"/v1/a%2fb", "/v1/a%2Fb"),
        (b"/v1/%61", "/v1/a"),
        (b"/v1/%FF", "/v1/%FF"),
    ],
)
def test_a_path_is_encoded_in_one_way_and_a_slash_in_a_name_is_kept(raw: bytes, path: str) -> None:
    assert path_as_sent(scope(raw)) == path


def test_a_server_without_the_raw_path_gives_the_decoded_one() -> None:
    assert path_as_sent(scope(None, "/v1/a b")) == "/v1/a b"
