"""Files that a command was asked to write: nothing that is no file is ever replaced by one."""

from __future__ import annotations

from pathlib import Path

from alo.errors import UsageError
from alo.files import write_whole


def is_stdout(target: Path | None) -> bool:
    """Whether a file that was asked for is standard output: none is named, or ``-``."""
    return target is None or str(target) == "-"


def write_output(target: Path, content: bytes) -> None:
    """Write a file whole, or not at all; a device and a pipe are written to.

    Raises:
        UsageError: it is a folder, or a link: what it leads to may be someone else's choice.
        OSError: it cannot be written.
    """
    if target.is_dir():
        raise UsageError(f"'{target}' is a folder", fix="name a file in it")
    if target.exists() and not target.is_file():
        with open(target, "wb") as file:
            file.write(content)
        return
    if target.is_symlink():
        raise UsageError(f"'{target}' is a link", fix=f"name the file itself: {target.readlink()}")
    write_whole(target, content)
