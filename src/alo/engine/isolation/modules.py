"""Modules in use that are neither the project's, nor installed, nor of Python itself."""

from __future__ import annotations

import sys
from pathlib import Path

from alo.files import checksum
from alo.sources.code.finder import SUFFIXES, Roots, is_installed
from alo.sources.code.importing import place_of


def outside_code(project: Roots) -> dict[str, str]:
    """What has been imported from ``PYTHONPATH`` and the like: path → checksum."""
    files = {place_of(module) for name, module in sys.modules.items() if name != "__main__"}
    return {
        file: checksum(Path(file))
        for file in sorted(files)
        if file.endswith(SUFFIXES) and not is_installed(file) and not project.hold(file)
        if Path(file).is_file()
    }
