"""Source that is none is reported with its line and column."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alo.errors import Problem

Inspect = Callable[..., list[Problem]]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("x = (1,\ny = 2", 1, 5),
        ("def f():\npass", 2, 1),
        ("if x:\n\ty = 1\n        z = 2", 3, None),
        ("print 'x'", 1, 1),
        ("x = '한글' +", 1, 11),
        ("x = 1\n한 = '한글' def\n", 2, 10),
        ("f('한글', def)\r\n", 1, 9),
        ("# -*- coding: cp949 -*-\nf('한글', def)\n".encode("cp949"), 2, 9),
        ("\ufefff('한글', def)\n", 1, 9),
        (b"# -*- coding: nothing -*-\n", 0, 0),
    ],
)
def test_a_syntax_error_has_line_and_column(
    text: str | bytes, line: int, column: int | None, inspect: Inspect
) -> None:
    (problem,) = inspect(text)

    assert problem.what.startswith("syntax error: ")
    assert problem.line == line
    assert column is None or problem.column == column
