"""What steps require is put together; contradictions are reported before anything is fetched."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from alo.engine.checks.requirements import together
from alo.errors import CheckError, Problem
from alo.plan.load import load_plan

from .conftest import Make, refused

Alo = Callable[..., "subprocess.CompletedProcess[str]"]


def test_versions_that_exclude_each_other_are_reported_without_an_index(
    make: Make, alo: Alo
) -> None:
    home = make("{requirements: ['alo-x==1.0']}", "{requirements: [requirements.txt]}")
    (home / "assets/two/requirements.txt").write_text("alo-x>=2\n")

    said = refused(alo, home)

    assert "yaml:8:43  asset_source.train_pipeline[1].source.requirements[0]  step 'two': " in said
    assert "no version of alo-x satisfies both 'alo-x==1.0' of step 'one' (" in said
    assert "experimental_plan.yaml:7) and 'alo-x>=2' of step 'two' (assets/two/requ" in said
    assert "environment: isolated" in said


@pytest.mark.parametrize(
    ("requirements", "what"),
    [
        ("['alo-x==1.0', 'alo-x==2.0']", "'alo-x==2.0' of step 'one'"),
        ("['alo-x==2.0', '-c limits.txt']", "'alo-x<2' of step 'one' (assets/one/limits.txt:1)"),
    ],
)
def test_one_step_may_contradict_itself_or_its_constraints(
    make: Make, alo: Alo, requirements: str, what: str
) -> None:
    home = make(f"{{requirements: {requirements}}}")
    (home / "assets/one/limits.txt").write_text("alo-x<2\n")

    said = refused(alo, home)

    assert what in said
    assert "isolated" not in said


def test_a_step_of_its_own_environment_contradicts_no_other(make: Make, alo: Alo) -> None:
    home = make("{requirements: ['alo-x==1.0']}", "{requirements: ['alo-x==2.0']}")
    plan = home / "solution/experimental_plan.yaml"
    plan.write_text(plan.read_text().replace("{step: two}", "{step: two, environment: isolated}"))

    done = alo("check", cwd=home)

    assert done.returncode == 0, done.stderr


def test_what_cannot_be_installed_beside_alo_is_a_warning(make: Make, alo: Alo) -> None:
    done = alo("check", cwd=make("{requirements: ['PyYAML==5.1']}"))

    assert done.returncode == 0, done.stderr
    assert "'PyYAML==5.1' of step 'one'" in done.stdout
    assert "of ALO itself: it cannot be installed together with ALO" in done.stdout


def test_what_is_wrong_with_code_that_has_been_fetched_is_reported_at_once(make: Make) -> None:
    home = make("{code: local}")
    plan = load_plan(home / "solution/experimental_plan.yaml", home=home)
    problems = [Problem("one"), Problem("two"), Problem("one")]

    with pytest.raises(CheckError) as caught:
        together(plan, [], problems)

    assert str(caught.value).count("one") == 1
    assert "two" in str(caught.value)
    together(plan, [])
