"""Fixtures for plans: from text to a plan, or to what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from alo.errors import PlanError
from alo.plan.load import parse_plan
from alo.plan.model import Plan

LoadText = Callable[[str | bytes], Plan]
Told = Callable[[str | bytes], list[str]]
Meaning = Callable[[Plan], Plan]


@pytest.fixture
def load(tmp_path: Path) -> LoadText:
    """The plan that a text says, as if it were the plan of a project."""

    def read(text: str | bytes) -> Plan:
        content = dedent(text).encode() if isinstance(text, str) else text
        home = tmp_path / "project"
        return parse_plan(content, path=home / "experimental_plan.yaml", home=home)

    return read


@pytest.fixture
def reported(load: LoadText) -> Told:
    """What is said of a text that is no plan, without the file's name: ``["3:5  key  what"]``."""

    def read(text: str | bytes) -> list[str]:
        with pytest.raises(PlanError) as caught:
            load(text)
        return [str(p).removeprefix("experimental_plan.yaml:") for p in caught.value.problems]

    return read


@pytest.fixture
def warned(load: LoadText) -> Told:
    """What a plan is warned of, in the form of ``reported``."""

    def read(text: str | bytes) -> list[str]:
        return [str(p).removeprefix("experimental_plan.yaml:") for p in load(text).warnings]

    return read


@pytest.fixture(scope="session")
def meaning() -> Meaning:
    """The plan without what differs between two texts that say the same."""

    def strip(plan: Plan) -> Plan:
        for pipeline in plan.pipelines:
            steps = tuple(
                step._replace(line=0, source_key="", lent_key="") for step in pipeline.steps
            )
            plan = plan.with_pipeline(pipeline._replace(steps=steps))
        return plan._replace(path=Path(), text=b"", warnings=(), file="", places={})

    return strip
