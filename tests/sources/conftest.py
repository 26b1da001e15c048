"""Fixtures for tests of single assets: a folder of files, imported as a step is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from alo.sources.code.loader import AssetCode

ASSET = """\
from alolib.asset import Asset


class UserAsset(Asset):
    def run(self):
        pass
"""

Write = Callable[..., Path]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A project's folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def write(home: Path) -> Write:
    """``write("train", asset="...", **{"utils.py": "..."})``: an asset's folder."""

    def make(step: str, files: Mapping[str, str] | None = None, *, asset: str = "") -> Path:
        folder = home / "assets" / step
        everything = {f"asset_{step}.py": f"{dedent(asset)}\n{ASSET}", **(files or {})}
        for name, text in everything.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text), encoding="utf-8")
        return folder

    return make


@pytest.fixture
def load(home: Path) -> Callable[..., Any]:
    """``load("train")``: import the asset as a step does, and give its class."""

    def load_it(step: str, code: AssetCode | None = None) -> Any:
        code = code or AssetCode(home / "assets" / step, step)
        with code.active():
            return code.load_class()

    return load_it
