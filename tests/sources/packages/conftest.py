"""Fixtures for environments: packages of our own, and each installer."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.layout import Workspace
from alo.sources.packages import environments, installers
from alo.sources.packages.requirements import Requirement, Wanted

from ..wheels import make_wheel

Want = Callable[..., Wanted]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "project").mkdir()
    return Workspace(tmp_path / "project")


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    make_wheel(folder, "aloleaf", "1.0")
    make_wheel(folder, "aloleaf", "2.0")
    make_wheel(folder, "alotop", "1.0", requires=("aloleaf<2",))
    make_wheel(folder, "aloother", "1.0", requires=("aloleaf>=2",))
    make_wheel(folder, "aloold", "1.0", python=">=4")
    return folder


@pytest.fixture
def want(wheels: Path) -> Want:
    """What steps want: ``want(train="alotop", other="aloleaf==1.0")``."""

    def call(**by_step: str) -> Wanted:
        found = tuple(
            Requirement(
                text, text.split("=")[0].split(">")[0], step, f"step '{step}' (plan.yaml:7)"
            )
            for step, text in by_step.items()
        )
        return Wanted(found, (f"--find-links {wheels}",))

    return call


@pytest.fixture(params=["uv", "pip"])
def each_installer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "pip":
        monkeypatch.setattr(environments, "find_uv", lambda: "")
    elif not installers.find_uv():
        pytest.skip("uv is not installed here")
    return str(request.param)


def versions(python: str, *names: str) -> list[str]:
    code = "; ".join(f"import {name}; print({name}.VERSION)" for name in names)
    done = subprocess.run(
        [python, "-c", f"import alo, alolib, yaml; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()
