"""What makes a stored step unusable is named, and nothing else makes it so."""

from __future__ import annotations

from typing import Any

import pytest

from alo.store.keys import LONGEST_VALUE, StepKey, difference

KEY = StepKey(
    args={"n": "1", "m": "2"},
    context={"step_number": "0"},
    code={"a.py": "x"},
    requirements=("pandas",),
    packages={"Python": "3.12"},
    data_id="d",
    train_files={"models/m": "1"},
    incoming="i",
    files={"input": "f"},
)


def test_the_same_key_differs_in_nothing() -> None:
    assert difference(KEY, KEY._replace(args=dict(KEY.args))) == ""


@pytest.mark.parametrize(
    ("field", "now", "why"),
    [
        ("args", {"n": "2", "m": "2"}, "args changed: n 1 → 2"),
        ("args", {"m": "2"}, "args changed: n is gone"),
        ("args", {"n": "1", "m": "2", "k": "3"}, "args changed: k 3 is new"),
        ("args", {"m": "2", "n": "1"}, "args changed: their order"),
        ("code", {"a.py": "y"}, "code changed: a.py"),
        ("code", {}, "code changed: a.py"),
        ("requirements", (), "requirements changed"),
        ("packages", {"Python": "3.13"}, "packages changed: Python 3.12 → 3.13"),
        ("data_id", "e", "input data changed"),
        ("train_files", {"models/m": "2"}, "models/m changed"),
        ("incoming", "j", "what the step before hands on changed"),
        ("files", {"input": "g"}, "files or summary changed that were left by input"),
        ("context", {"step_number": "1"}, "its place in the run changed: step_number 0 → 1"),
    ],
)
def test_what_differs_is_named(field: str, now: Any, why: str) -> None:
    assert difference(KEY, KEY._replace(**{field: now})) == why


@pytest.mark.parametrize("count", [3, 4])
def test_at_most_three_names_are_given(count: int) -> None:
    code = {f"{number}.py": "new" for number in range(count)}

    why = difference(KEY._replace(code={}), KEY._replace(code=code))

    assert why == "code changed: 0.py, 1.py, 2.py" + (", ..." if count > 3 else "")


@pytest.mark.parametrize("size", [LONGEST_VALUE, LONGEST_VALUE + 1])
def test_a_long_value_is_cut_and_a_password_is_not_shown(size: int) -> None:
    why = difference(KEY._replace(args={}), KEY._replace(args={"a": "x" * size}))

    shown = "x" * size if size == LONGEST_VALUE else "x" * (LONGEST_VALUE - 3) + "..."
    assert why == f"args changed: a {shown} is new"
    url = KEY._replace(args={"n": "https://me:secret@host/", "m": "2"})
    assert "secret" not in difference(KEY, url)
