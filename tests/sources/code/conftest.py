"""An asset's file that is looked at without being run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.errors import Problem
from alo.sources.code.inspection import inspect_asset

Inspect = Callable[..., list[Problem]]


@pytest.fixture
def inspect(tmp_path: Path) -> Inspect:
    """``inspect("the file's text")``: the problems of an asset."""

    def make(
        text: str | bytes, *, step: str = "train", name: str = "", installs: bool = False
    ) -> list[Problem]:
        path = tmp_path / "assets" / step / (name or f"asset_{step}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return inspect_asset(path.parent, step, home=tmp_path, installs=installs)

    return make
