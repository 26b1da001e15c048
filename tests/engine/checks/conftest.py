"""A project whose steps have sources, and what the check says of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import write_asset

Alo = Callable[..., "subprocess.CompletedProcess[str]"]


MODEL = "Path(self.asset.get_model_path(), 'm').write_text('x')"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ALO_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A project with the steps ``one`` and ``two``, and these sources, as YAML."""

    def call(one: str, two: str = "{code: local}", more: str = "") -> Path:
        home = tmp_path / "project"
        for step in ("one", "two"):
            write_asset(home, step, MODEL)
        (home / "solution").mkdir(exist_ok=True)
        (home / "solution/experimental_plan.yaml").write_text(
            "user_parameters:\n"
            "  - train_pipeline:\n"
            "    - {step: one}\n"
            "    - {step: two}\n"
            "asset_source:\n"
            "  - train_pipeline:\n"
            f"    - {{step: one, source: {one}}}\n"
            f"    - {{step: two, source: {two}}}\n"
            f"{more}"
        )
        return home

    return call


def everything(folder: Path) -> dict[str, object]:
    """All that a folder holds: names, contents and links."""
    found: dict[str, object] = {}
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            content: object = "folder" if path.is_dir() else path.read_bytes()
            found[str(path.relative_to(folder))] = (
                os.readlink(path) if path.is_symlink() else content
            )
    return found


def refused(alo: Alo, home: Path, *commands: str) -> str:
    """What ``alo check`` and ``alo run`` both say, neither of which changes anything."""
    said = ""
    for command in commands or ("check", "run"):
        before = everything(home.parent)
        done = alo(command, cwd=home)
        assert done.returncode == 2, done.stdout + done.stderr
        assert everything(home.parent) == before
        assert not said or said == done.stderr
        said = done.stderr
    return said
