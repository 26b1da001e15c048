"""Texts that no file could hold are found, however deep, and can be shown."""

from __future__ import annotations

import pytest

from alo.texts import counted, is_odd, is_plain_name, is_whole_number, looks, odd_text


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x\udc80"])
def test_a_nul_and_half_a_character_are_odd(text: str) -> None:
    assert is_odd(text)
    found = odd_text({"a": [1, {"b": text}]})
    assert found == ascii(text)
    found.encode("ascii")


@pytest.mark.parametrize(
    "content", ["plain", "한글 🙂", {"a": ["b", None, 1.5]}, {"keys": "\n"}, []]
)
def test_all_else_is_not(content: object) -> None:
    assert odd_text(content) is None


def test_what_others_look_at_is_left_to_them() -> None:
    assert odd_text({"files": "\0", "args": {"a": 1}}, but=("files",)) is None
    assert odd_text({"files": "\0", "args": {"a": "\0"}}, but=("files",)) is not None


def test_a_long_text_is_cut() -> None:
    found = odd_text("\0" + "x" * 100)

    assert found is not None
    assert len(found) == 50


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("0", True), ("9" * 18, True), ("9" * 19, False), ("9" * 5000, False), ("", False),
     ("-1", False), ("1.0", False), ("\u0663", False)],
)  # fmt: skip
def test_a_whole_number_is_of_digits_and_fits_into_a_database(text: str, is_one: bool) -> None:
    assert is_whole_number(text) is is_one


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("a", True), ("v1.2_x-y", True), ("가" * 66, True), ("가" * 67, False), ("x" * 101, False),
     ("..", False), (".x", False), ("-x", False), ("--json", False), ("a/b", False), ("", False),
     ("a\n", False), ("%2e", False)],
)  # fmt: skip
def test_a_plain_name_is_a_folders_of_any_file_system_and_no_option(
    name: str, is_one: bool
) -> None:
    assert is_plain_name(name) is is_one


@pytest.mark.parametrize(
    ("count", "words", "text"),
    [(0, ("row",), "0 rows"), (1, ("row",), "1 row"), (1234, ("row",), "1,234 rows"),
     (1, ("run is", "runs are"), "1 run is"), (2, ("run is", "runs are"), "2 runs are")],
)  # fmt: skip
def test_what_is_counted_has_the_word_of_its_number(
    count: int, words: tuple[str, ...], text: str
) -> None:
    assert counted(count, *words) == text


def test_texts_that_look_the_same_are_the_same() -> None:
    assert looks("\u110b\u1163\u11bc") == looks("\uc591")
    assert looks("e\u0301") == looks("\u00e9") != looks("e")
    assert looks("go\u200bod\u202e") == "good"
    assert looks("Good") != looks("good")
