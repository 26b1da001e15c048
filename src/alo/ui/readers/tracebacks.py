"""A traceback as people read it: own lines stand out, paths are cut to what says something."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_FRAME = re.compile(r'^(\s*File ")([^"]+)(", line \d+.*)$')
_PACKAGES = re.compile(r"^.*[/\\](?:site-packages|dist-packages|lib[/\\]python3\.\d+)[/\\]")


class TracebackLine(NamedTuple):
    """A line of a traceback, with what kind of frame it belongs to."""

    text: str
    kind: str  # own: code of the project | library: of a package | "": neither


def traceback_lines(text: str, home: Path) -> Sequence[TracebackLine]:
    """The lines of a traceback, in their order.

    Args:
        home: the project: paths below it are shown relative to it, those of packages relative to
            the folder of packages.
    """
    prefix = f"{home}/"
    lines: list[TracebackLine] = []
    kind = ""
    for line in text.splitlines():
        if frame := _FRAME.match(line):
            before, path, after = frame.groups()
            in_package = _PACKAGES.sub("", path)
            kind = "library" if in_package != path else "own" if path.startswith(prefix) else ""
            shown = in_package if kind == "library" else path.removeprefix(prefix)
            lines.append(TracebackLine(f"{before}{shown}{after}", kind))
            continue
        if not line.startswith("    "):  # a frame's source and marks are further in
            kind = ""
        lines.append(TracebackLine(line, kind))
    return lines
