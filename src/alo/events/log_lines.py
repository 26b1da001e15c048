"""Log lines of the engine itself: ``ALO`` for ``USER``, with the place they come from."""

from __future__ import annotations

import os
import sys
from time import time

from alo.events.types import LogLine
from alo.masking import masked


def info(text: str) -> LogLine:
    """For process.log."""
    return _line("INFO", text)


def warning(text: str) -> LogLine:
    """For process.log and the console."""
    return _line("WARNING", text)


def error(text: str) -> LogLine:
    """For process.log; the console shows the error by itself."""
    return _line("ERROR", text)


def _line(level: str, text: str) -> LogLine:
    code = (frame := sys._getframe(2)).f_code
    name = os.path.basename(code.co_filename)
    return LogLine(time(), "ALO", level, name, frame.f_lineno, code.co_name, masked(text))
