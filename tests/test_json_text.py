from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.json_text import (
    EACH,
    bad_character,
    every_value,
    is_deeper,
    json_bytes,
    json_bytes_by_line,
    json_file,
    json_lines,
    json_object,
    json_text,
    json_value,
    misfit,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()))


def joined(text: str) -> str:
    """As JSON has it, where two surrogates that make a letter are that letter."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


@given(ANY_TEXT)
def test_any_text_is_utf8_and_comes_back(text: str) -> None:
    content = json_bytes({"text": text, text: 1})

    assert json.loads(content.decode()) == {"text": joined(text), joined(text): 1}
    assert json_text(text).encode() == json_bytes(text)


def test_letters_are_as_they_are_and_lone_surrogates_are_escapes() -> None:
    assert json_bytes("한글 \udcb0", indent=1) == '"한글 \\udcb0"'.encode()


HOSTILE = {
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "cut off": b'{"a": 1',
    "not UTF-8": b'{"a": "\xff\xff"}',
    "a NUL": b"\0\0\0\0\0",
    "nothing": b"",
    "endless digits": b"9" * 5000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_whatever_is_no_json_is_one_kind_of_error(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - and of no other kind
        json_value(text)


@pytest.mark.parametrize(("depth", "fits"), [(3, True), (4, False)])
@pytest.mark.parametrize("form", ["[{}]", '{{"a": {}}}'])
def test_levels_are_counted_of_lists_and_objects(form: str, depth: int, fits: bool) -> None:
    text = "1"
    for _ in range(depth):
        text = form.format(text)

    assert is_deeper(json_value(text), 3) is not fits
    if fits:
        json_value(text, deepest=3)
    else:
        with pytest.raises(ValueError, match="more than 3 levels"):
            json_value(text, deepest=3)


@given(ANY_TEXT)
def test_a_text_without_a_bad_character_can_be_written(text: str) -> None:
    is_good = "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)

    assert (bad_character(text) == "") is is_good


def test_keys_are_values_too() -> None:
    assert set(map(str, every_value({"a": [1, {"b": None}]}))) >= {"a", "b", "1", "None"}


@pytest.mark.parametrize("leads_to", ["/dev/zero", "pipe", "folder", "nowhere"])
def test_what_is_no_ordinary_file_is_never_read(tmp_path: Path, leads_to: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    link = tmp_path / "record.json"
    link.symlink_to(leads_to)

    with pytest.raises(OSError, match=r"no ordinary file|directory|No such file"):
        json_file(link)


def test_a_file_is_no_larger_than_was_said(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"a": 1}')

    assert json_file(file, most=8) == {"a": 1}
    with pytest.raises(OSError, match="larger"):
        json_file(file, most=7)


def test_an_object_is_read_and_nothing_else_is_one(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"a": 1}')

    assert json_object(file) == {"a": 1}
    for other in ("[]", "null", '"a"', "1"):
        file.write_text(other)
        with pytest.raises(ValueError, match="it is no JSON object"):
            json_object(file)


def test_lines_end_at_line_feeds_alone_and_a_damaged_one_is_named() -> None:
    odd = json.dumps({"a": "x\u2028y\x85z"}, ensure_ascii=False).encode()

    assert list(json_lines(odd + b"\n\n[1]\n")) == [{"a": "x\u2028y\x85z"}, [1]]
    with pytest.raises(ValueError, match="line 2: "):
        list(json_lines(b"1\nnonsense\n"))


def test_json_by_line_has_a_line_for_each_key_and_item() -> None:
    content = {"id": "한", "args": {"a": {"x": 1}}, "steps": [{"name": "a"}, {"name": "b"}]}

    written = json_bytes_by_line(content)

    assert json.loads(written) == content
    assert written.decode().splitlines() == [
        '{"id": "한",',
        ' "args": {"a": {"x": 1}},',
        ' "steps": [{"name": "a"},',
        ' {"name": "b"}]}',
    ]


SHAPE = {"a": int, "b": [(str, type(None))], "c": {EACH: {"d": float}}}


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ({"a": 1, "b": ["x", None], "c": {}, "more": object}, ""),
        ({"a": 1, "b": [], "c": {"x": {"d": 0.5}}}, ""),
        ([], "all"),
        ({"a": True, "b": [], "c": {}}, "a"),
        ({"a": 1, "b": [1], "c": {}}, "b"),
        ({"a": 1, "b": "x", "c": {}}, "b"),
        ({"a": 1, "b": [], "c": {"x": 1}}, "c.x"),
        ({"a": 1, "b": [], "c": {"x": {"d": float("inf")}}}, "c.x.d"),
    ],
)
def test_what_is_not_of_a_shape_is_named_by_its_first_part(value: object, part: str) -> None:
    assert misfit(value, SHAPE) == part
