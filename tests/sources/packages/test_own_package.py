"""ALO in the environments that it makes: what it needs there, and that it is found."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

from alo.errors import InstallError
from alo.sources.packages import own_package
from alo.sources.packages.own_package import (
    engine_requirements,
    link_engine,
    needs_of_alo,
    package_folder,
)
from alo.sources.packages.trial import packages_of


def test_it_needs_what_its_metadata_says() -> None:
    names = {each.name for each in needs_of_alo()}

    assert {"pyyaml", "cloudpickle", "xxhash", "isal", "packaging"} <= names
    assert not names & {"pandas", "redis", "pytest"}
    assert {each.step for each in needs_of_alo()} == {""}


def test_only_extras_that_are_in_use_here_come_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_package, "RUNTIME_EXTRAS", {"loop": "json", "serve": "no_such_module"})

    names = {each.name for each in engine_requirements()}

    assert "redis" in names
    assert "starlette" not in names


def test_without_its_metadata_no_environment_can_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", missing)

    with pytest.raises(InstallError, match="ALO is not installed as a package here"):
        engine_requirements()


def test_an_environment_finds_it_also_after_a_move(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    assert Path(packages_of(tmp_path / "env")).is_dir()

    link_engine(tmp_path / "env")
    os.rename(tmp_path / "env", tmp_path / "moved")

    code = "import alo, alolib; from importlib.metadata import version; print(alo.__path__[0]); "
    done = subprocess.run(
        [tmp_path / "moved/bin/python", "-c", f"{code}version('open-alo')"],
        capture_output=True,
        text=True,
        check=True,
        env={name: text for name, text in os.environ.items() if name != "PYTHONPATH"},
    )
    assert os.path.realpath(done.stdout.strip()) == package_folder()
