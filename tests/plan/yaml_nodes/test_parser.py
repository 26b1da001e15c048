"""The syntax of YAML from outside: what is refused, and how it is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alo.plan.model import Plan
from alo.plan.yaml_nodes import parser
from alo.plan.yaml_nodes.parser import compose
from alo.plan.yaml_nodes.tree import MAX_BYTES

LoadText = Callable[[str | bytes], Plan]
Told = Callable[[str | bytes], list[str]]

ARGS = "user_parameters:\n  train_pipeline:\n    - step: a\n      args:\n"


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("a:\n\t- b", (2, 1), "a tab: indent with spaces"),
        ("a: @b", (1, 4), "put a value that starts with '@' in quotes"),
        ("a: `b`", (1, 4), "put a value that starts with '`' in quotes"),
        ("a: b: c", (1, 5), "quote a value that holds ': ', or check the indentation"),
        ("a: x\n  b: y", (2, 4), "quote a value that holds ': ', or check the indentation"),
        ("a: [1,\n2", (1, 4), "starts on line 1); a '[' is not closed"),
        ("a: {b: 1", (1, 4), "a '{' is not closed"),
        ('a: "b', (1, 4), "a quotation mark is not closed"),
        ("a: 1\nb\nc: 1", (3, 1), "is a ':' missing?"),
        ("a:\n  b: 1\n c: 2", (3, 2), "check the indentation"),
        ("a:\n - b\n c: 1", (3, 2), "check the indentation"),
        ("a: *b", (1, 4), "a value that starts with * is an alias"),
        ("a: & b", (1, 5), "a value that starts with & or * is no text"),
        ("a: !b!c d", (1, 4), "a value that starts with ! is a tag"),
        ("a: &x 1\nb: &x 2", (2, 4), "give each anchor (&name) a name of its own"),
        ('a: "\\z"', (1, 5), "use single quotes"),
        ("a: 1\n---\nb: 2", (2, 1), "found another document"),
    ],
)
def test_a_syntax_error_has_a_place_and_a_hint(
    reported: Told, text: str, place: tuple[int, int], what: str
) -> None:
    (line,) = reported(text)

    assert line.startswith(f"{place[0]}:{place[1]}  not YAML: ")
    assert what in line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: \x00b", "1:4  the control character U+0000 is not allowed: this is not a text file"),
        ("a: 1\nb: \x01", "2:4  the control character U+0001 is not allowed: remove it"),
    ],
)
def test_a_control_character_has_a_place(reported: Told, text: str, line: str) -> None:
    assert reported(text) == [line]


@pytest.mark.parametrize(
    ("text", "where"),
    [(b"a: \xff", "1:4"), (b"a: 1\nb: \xea\xb0\x80\xea\xb0", "2:5"), (b"\xff\xfea\x00b", "1:2")],
)
def test_bytes_that_are_no_text_have_a_place(reported: Told, text: bytes, where: str) -> None:
    (line,) = reported(text)

    assert line.startswith(f"{where}  not UTF-")
    assert line.endswith("save the file as UTF-8")


def test_a_file_that_is_too_long_is_refused_before_it_is_read(reported: Told) -> None:
    assert reported(b"a: " + b"x" * MAX_BYTES) == [
        "experimental_plan.yaml  longer than 1 MB: is this the right file?"
    ]


DEEP = {
    "flow": ARGS + "        x: " + "[" * 900 + "]" * 900,
    "deeper flow": "a: " + "[" * 100_000,
    "block": ARGS + "".join(" " * (8 + n) + "a:\n" for n in range(300)),
    "just too deep": ARGS + "        x: " + "[" * 66 + "]" * 66,
    "alias in itself": ARGS + "        x: &x [*x]",
    "merge of itself": ARGS + "        x: &x {<<: *x}",
    "merge of oneself": "user_parameters: &x {<<: *x}",
}


@pytest.mark.parametrize("loader", [parser.FAST_LOADER, None], ids=["C", "Python"])
@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP.keys())
def test_deep_nesting_is_a_problem(
    reported: Told, monkeypatch: pytest.MonkeyPatch, text: str, loader: object
) -> None:
    monkeypatch.setattr(parser, "FAST_LOADER", loader)

    (line,) = reported(text)

    assert "nested" in line


def test_nothing_is_composed_of_an_empty_text() -> None:
    assert compose(b" \n# comment\n") is None
