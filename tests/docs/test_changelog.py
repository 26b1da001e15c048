"""The changelog begins with the version that this is."""

from __future__ import annotations

import re
from pathlib import Path

from alo.version import __version__

TEXT = (Path(__file__).parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_newest_version_is_this_one() -> None:
    first = re.findall(r"^## (\S+) \(\d{4}-\d\d-\d\d\)$", TEXT, re.M)[0]

    assert first == __version__
