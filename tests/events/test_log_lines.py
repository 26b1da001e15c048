"""Lines of the engine name the place in it that speaks, and no password."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from alo.events.log_lines import error, info, warning
from alo.events.types import LogLine

LEVELS = [(info, "INFO"), (warning, "WARNING"), (error, "ERROR")]


@pytest.mark.parametrize(("make", "level"), LEVELS)
def test_a_line_has_its_level_and_the_place_of_its_caller(
    make: Callable[[str], LogLine], level: str
) -> None:
    number = sys._getframe().f_lineno + 1
    line = make("get https://me:secret@host/")

    assert (line.source, line.level) == ("ALO", level)
    assert (line.file, line.line) == ("test_log_lines.py", number)
    assert line.function == sys._getframe().f_code.co_name
    assert "secret" not in line.text
