"""What history keeps of a plan has no passwords of its sources, and a rerun finds them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.plan.load import parse_plan
from alo.plan.model import Plan
from alo.plan.passwords import with_passwords_of, without_passwords
from alo.plan.render import render_plan

PLAN = """\
# https://me:s3cr3t@host/x.git is where it comes from
user_parameters:
  - train_pipeline:
    - step: train
      args: {{url: "https://api/x?n=1"}}
asset_source:
  - train_pipeline:
    - step: train
      source:
        code: {code}
        requirements:
          - six --index-url https://me:s3cr3t@host/simple
          - pandas
"""
URL = "https://me:s3cr3t@host/x.git"


def read(text: str, tmp_path: Path) -> Plan:
    return parse_plan(text.encode(), path=tmp_path / "plan.yaml", home=tmp_path)


def test_the_text_stays_as_it_is_but_for_them(tmp_path: Path) -> None:
    text = PLAN.format(code=URL)

    kept = render_plan(read(text, tmp_path), ()).decode()

    assert kept == text.replace("me:s3cr3t@", "")


@pytest.mark.parametrize(
    "code", ['"https://me:s3\\x63r3t@host/x.git"', '"https://me:s3cr3t@ho\\\n          st/x.git"']
)
def test_where_they_cannot_be_cut_out_the_plan_is_written_anew(tmp_path: Path, code: str) -> None:
    plan = read(PLAN.format(code=code), tmp_path)
    assert plan.train is not None
    assert plan.train.steps[0].source.code == URL

    kept = render_plan(plan, ()).decode()

    assert "s3cr3t" not in kept
    again = read(kept, tmp_path).train
    assert again is not None
    assert again.steps[0].source.code == "https://host/x.git"
    assert again.steps[0].args == {"url": "https://api/x?n=1"}


def test_a_changed_plan_has_none_either(tmp_path: Path) -> None:
    kept = render_plan(read(PLAN.format(code=URL), tmp_path), ("train.n: 1 → 2",)).decode()

    assert "s3cr3t" not in kept
    assert "https://host/x.git" in kept


def test_a_plan_without_any_is_kept_byte_for_byte(tmp_path: Path) -> None:
    plan = read(PLAN.replace("me:s3cr3t@", "").format(code="local"), tmp_path)

    assert without_passwords(plan) is plan
    assert render_plan(plan, ()) == plan.text


def test_they_are_found_again_in_the_plan_of_the_project(tmp_path: Path) -> None:
    plan = read(PLAN.format(code=URL), tmp_path)
    kept = read(render_plan(plan, ()).decode(), tmp_path)

    assert with_passwords_of(kept, plan).train == plan.train
    other = read(PLAN.replace("host/", "other/").format(code="local"), tmp_path)
    assert with_passwords_of(kept, other) == kept
