"""JSON from clients is taken as it was sent, or refused with what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from alo.serve.http_api.bodies.json_values import check_args, known_encoding, parse_json, text_of
from alo.serve.http_api.refusal import RefusedError


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])
def test_each_encoding_of_json_is_taken(encoding: str) -> None:
    assert parse_json('{"이름": [1, null]}'.encode(encoding)) == {"이름": [1, None]}


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "not JSON"),
        (b"\xff\xff\xff", "not JSON"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": -Infinity}', "is not a JSON number"),
        (b'{"a": 1, "b": 2, "a": 1}', "the key 'a' comes twice"),
        (b'[{"b": {"x": 1, "x": 2}}]', "the key 'x' comes twice"),
        (b'["\\u0000"]', "a NUL or half a character"),
        (b'["\\ud800"]', "a NUL or half a character"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_what_would_not_arrive_as_it_was_sent_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(RefusedError, match=what) as caught:
        parse_json(body)

    assert caught.value.status == 400


def test_a_whole_character_in_two_halves_is_one() -> None:
    assert parse_json(b'"\\ud83d\\ude42"') == "🙂"
    assert text_of("\ufeffa".encode()) == "a"


@pytest.mark.parametrize("name", ["utf-8", "EUC-KR", "latin-1"])
def test_encodings_of_texts_are_known(name: str) -> None:
    assert "é한".encode(known_encoding(name), "ignore") is not None


@pytest.mark.parametrize("name", ["hex", "base64", "none such", "", "x" * 200])
def test_others_are_not(name: str) -> None:
    with pytest.raises(RefusedError) as caught:
        known_encoding(name)

    assert caught.value.status == 415


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ([], 422),
        ({"a": 1}, 422),
        ({"a": {"b": [[[1]]]}}, 400),
        ({"a": {"b": float("inf")}}, 400),
    ],
)
def test_args_of_another_form_are_refused(content: Any, status: int) -> None:
    with pytest.raises(RefusedError) as caught:
        check_args(content, depth=4)

    assert caught.value.status == status


def test_args_are_what_was_sent_and_none_are_no_args() -> None:
    assert check_args({"a": {"b": [[1.5]]}}, depth=4) == {"a": {"b": [[1.5]]}}
    assert check_args(None, depth=4) == {}
