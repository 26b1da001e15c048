"""Modules that a step has used and that are neither the project's, nor installed, nor Python's."""

from __future__ import annotations

from pathlib import Path

from alo.files import checksum
from alo.sources.code_view import CodeView
from alo.sources.finder import Roots
from alo.sources.importing import outside_modules


def outside_code(view: CodeView) -> dict[str, str]:
    """What this process has imported from ``PYTHONPATH`` and the like: path → checksum."""
    files = sorted(outside_modules(Roots(*view.roots)))
    return {file: checksum(Path(file)) for file in files if Path(file).is_file()}
