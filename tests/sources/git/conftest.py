"""Fixtures for code from git: a repository, and a project that takes its steps from there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.layout import Workspace
from alo.plan.model import PipelinePlan, Plan, Source, StepPlan
from alo.sources.git.checkout import (
    Policy,
    bring_sources,
)
from alo.sources.git.clones import Clone
from alo.sources.git.command import Git

from ..repositories import ASSET, Repository

Bring = Callable[..., list[str]]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ALO_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "project").mkdir()
    return Workspace(tmp_path / "project")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """With the asset of a step ``train``, and a helper."""
    made = Repository(tmp_path / "origin")
    made.commit({"asset_train.py": ASSET, "helper.py": "X = 1\n"})
    return made


def step(code: str | Path, branch: str = "", path: str = "", name: str = "train") -> StepPlan:
    return StepPlan(name, {}, source=Source(str(code), branch, path), line=7)


@pytest.fixture
def bring(workspace: Workspace) -> Bring:
    """Bring the sources of steps; what was told."""

    def call(*steps: StepPlan, commits: dict[str, str] | None = None, **policy: bool) -> list[str]:
        reported: list[str] = []
        bring_sources(workspace, plan(*steps), steps, Policy(**policy), reported.append, commits)
        return reported

    return call


def plan(*steps: StepPlan, inference: tuple[StepPlan, ...] = ()) -> Plan:
    empty = Plan.__new__(Plan, *([None] * len(Plan._fields)))
    return empty._replace(
        train=PipelinePlan("train", steps),
        inference=PipelinePlan("inference", inference) if inference else None,
        file="experimental_plan.yaml",
        places={},
    )


@pytest.fixture
def clone(tmp_path: Path, repository: Repository) -> Clone:
    return Clone(f"file://{repository.folder}", Git(), tmp_path / "clones")


def exported(clone: Clone, tmp_path: Path, branch: str = "main", path: str = "") -> Path:
    target = tmp_path / f"target-{os.urandom(4).hex()}"
    clone.export(clone.bring(branch), path, target)
    return target
