"""YAML from outside: what is refused, and how it is told."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from alo.plan import nodes
from alo.plan.model import Plan
from alo.plan.nodes import MAX_BYTES, YamlError, compose, read_value

LoadText = Callable[[str | bytes], Plan]
Told = Callable[[str | bytes], list[str]]

ARGS = "user_parameters:\n  train_pipeline:\n    - step: a\n      args:\n"


def args_of(plan: Plan) -> object:
    assert plan.train is not None
    return plan.train.steps[0].args


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
    told: Told, text: str, place: tuple[int, int], what: str
) -> None:
    (line,) = told(text)

    assert line.startswith(f"{place[0]}:{place[1]}  not YAML: ")
    assert what in line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: \x00b", "1:4  the control character U+0000 is not allowed: this is not a text file"),
        ("a: 1\nb: \x01", "2:4  the control character U+0001 is not allowed: remove it"),
    ],
)
def test_a_control_character_has_a_place(told: Told, text: str, line: str) -> None:
    assert told(text) == [line]


@pytest.mark.parametrize(
    ("text", "where"),
    [(b"a: \xff", "1:4"), (b"a: 1\nb: \xea\xb0\x80\xea\xb0", "2:5"), (b"\xff\xfea\x00b", "1:2")],
)
def test_bytes_that_are_no_text_have_a_place(told: Told, text: bytes, where: str) -> None:
    (line,) = told(text)

    assert line.startswith(f"{where}  not UTF-")
    assert line.endswith("save the file as UTF-8")


def test_a_file_that_is_too_long_is_refused_before_it_is_read(told: Told) -> None:
    assert told(b"a: " + b"x" * MAX_BYTES) == [
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


@pytest.mark.parametrize("loader", [nodes.FAST_LOADER, None], ids=["C", "Python"])
@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP.keys())
def test_deep_nesting_is_a_problem(
    told: Told, monkeypatch: pytest.MonkeyPatch, text: str, loader: object
) -> None:
    monkeypatch.setattr(nodes, "FAST_LOADER", loader)

    (line,) = told(text)

    assert "nested" in line


def test_nesting_that_people_write_is_fine(load: LoadText) -> None:
    assert args_of(load(ARGS + "        x: " + "[" * 48 + "]" * 48))


def laughs(inner: str) -> str:
    lines = [f"        a{n}: &a{n} {inner % ', '.join([f'*a{n - 1}'] * 9)}" for n in range(1, 12)]
    return "\n".join(["        a0: &a0 {x: 1, y: 2}", *lines])


@pytest.mark.parametrize(
    "text",
    [
        ARGS + laughs("[%s]"),
        ARGS + laughs("{<<: [%s]}"),
        ARGS + "        a: &a [" + "1," * 1000 + "]\n        b: [" + "*a," * 1000 + "]",
    ],
    ids=["lists", "merges", "wide"],
)
def test_aliases_that_explode_are_refused(told: Told, text: str) -> None:
    (line,) = told(text)

    assert "more than 200,000 values once its aliases (*name) are unfolded" in line


def test_anchors_aliases_and_merge_keys_work(load: LoadText) -> None:
    plan = load(
        """\
        user_parameters:
          train_pipeline:
            - step: a
              args: &usual
                columns: &columns [x, y]
                depth: 1
            - step: b
              args:
                <<: [*usual, {depth: 2, seed: 3}]
                seed: 4
                others: *columns
            - <<: {step: c, timeout: 5}
        """
    )

    assert plan.train is not None
    a, b, c = plan.train.steps
    assert a.args == {"columns": ["x", "y"], "depth": 1}
    assert b.args == {"columns": ["x", "y"], "depth": 1, "seed": 4, "others": ["x", "y"]}
    assert (c.name, c.timeout_s) == ("c", 5)


def test_values_that_share_an_anchor_are_separate_objects(load: LoadText) -> None:
    args = args_of(load(ARGS + "        - x: &x [1]\n        - y: *x"))

    assert isinstance(args, dict)
    assert args["x"] == args["y"]
    assert args["x"] is not args["y"]


def test_a_merge_of_something_else_is_a_problem(told: Told) -> None:
    assert told(ARGS + "        <<: [1]") == [
        "5:14  user_parameters.train_pipeline[0].args.<<  "
        "expected a mapping to merge, found the number '1'"
    ]


@pytest.mark.parametrize(
    ("value", "column", "key", "first"),
    [
        ("{b: 1, b: 2}", 19, "x.b", 5),
        ("[0, {b: {c: 1, c: 2}}]", 27, "x[1].b.c", 5),
        ("{1: a, 0x1: b}", 19, "x.1", 5),
    ],
)
def test_a_duplicate_key_deep_in_an_arg_is_a_problem(
    told: Told, value: str, column: int, key: str, first: int
) -> None:
    assert told(f"{ARGS}        x: {value}") == [
        f"5:{column}  user_parameters.train_pipeline[0].args.{key}  "
        f"the key is here twice (first on line {first}): keep one"
    ]


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system [touch ran]",
        "!!python/name:os.system ''",
        "!!python/tuple [1]",
        "!mine x",
        "!!str [x]",
        "!!map x",
    ],
)
def test_a_tag_beyond_plain_yaml_is_a_problem_and_never_run(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tag: str
) -> None:
    monkeypatch.chdir(tmp_path)

    assert told(f"{ARGS}        x: {tag}") == [
        "5:12  user_parameters.train_pipeline[0].args.x  "
        f"the tag {tag.split()[0]} is not allowed: write a plain value"
    ]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("2024-13-45", "date"),
        ("!!int z", "number"),
        ("!!float z", "number"),
        ("!!bool z", "boolean"),
        ("9" * 5000, "number"),
    ],
)
def test_a_value_that_only_looks_like_its_type_is_a_problem(
    told: Told, value: str, kind: str
) -> None:
    (line,) = told(f"{ARGS}        x: {value}")

    assert line.startswith("5:12  user_parameters.train_pipeline[0].args.x  '")
    assert f"looks like a {kind} and is none: put it in quotes if it is text" in line


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("None", "None"),
        ("yes", True),
        ("'yes'", "yes"),
        ("null", None),
        ("~", None),
        ("", None),
        ("0o7", "0o7"),
        ("010", 8),
        ("1:30", 90),
        ("1e3", "1e3"),
        ("1.0e+3", 1000.0),
        ("=", "="),
        ("<<", "<<"),
        ("2024-05-05", datetime.date(2024, 5, 5)),
        ("!!binary aGk=", b"hi"),
        ("!!set {a, b}", {"a", "b"}),
        ("!!pairs [a: 1, a: 2]", [("a", 1), ("a", 2)]),
        ("!!omap [a: 1, b: 2]", [("a", 1), ("b", 2)]),
        ("{null: 1, 'null': 2}", {None: 1, "null": 2}),
        ("{~: [null]}", {None: [None]}),
        ("{1: a, true: b, 2024-05-05: c}", {1: "a", datetime.date(2024, 5, 5): "c"}),
        ("'한글 é 😀'", "한글 é 😀"),
    ],
)
def test_values_are_those_of_yaml_1_1(text: str, value: object) -> None:
    if text.startswith("{1"):
        text = text.replace("true: b, ", "")  # 1 and true are one key to Python

    assert read_value(text.encode()) == value


@pytest.mark.parametrize("text", ["{? : 1}", "a: {b: {? : 1}}"])
def test_a_key_of_a_value_that_is_missing_is_a_problem(text: str) -> None:
    with pytest.raises(YamlError, match="a key is missing before the ':'"):
        read_value(text.encode())


@pytest.mark.parametrize("text", ["a: {[1]: 2}", "a: {{b: 1}: 2}"])
def test_a_key_that_is_no_plain_value_is_a_problem(text: str) -> None:
    with pytest.raises(YamlError, match="a key has to be a plain value, found a"):
        read_value(text.encode())


@pytest.mark.parametrize("text", ["!!pairs [a]", "!!omap [{a: 1, b: 2}]"])
def test_pairs_that_are_none_are_a_problem(text: str) -> None:
    with pytest.raises(YamlError, match="is a list of one-key mappings"):
        read_value(text.encode())


def test_a_name_is_what_is_written(load: LoadText) -> None:
    assert args_of(load(ARGS + "        on: 1\n        2: 3\n")) == {"on": 1, "2": 3}


@pytest.mark.parametrize("text", ["        '': 1", "        [a]: 1", "        ~: 1\n        : 2"])
def test_a_name_that_is_missing_is_a_problem(told: Told, text: str) -> None:
    assert told(ARGS + text)


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9)
)
PLAIN = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SCALARS, inner, max_size=4),
    max_leaves=20,
)


@given(PLAIN)
def test_reading_agrees_with_the_safe_loader(value: object) -> None:
    text = yaml.safe_dump(value, allow_unicode=False, sort_keys=False)

    assert read_value(text.encode()) == yaml.safe_load(text)


def test_nothing_is_composed_of_an_empty_text() -> None:
    assert compose(b" \n# comment\n") is None
