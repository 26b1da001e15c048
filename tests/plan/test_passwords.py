"""What history keeps of a plan has no passwords of its URLs, and a rerun finds them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.plan.load import parse_plan
from alo.plan.model import Plan
from alo.plan.passwords import unknown_urls, with_passwords_of, without_passwords
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


def test_what_only_looks_like_a_comment_is_an_arg_and_stays(tmp_path: Path) -> None:
    text = PLAN.format(code=URL).replace(
        'args: {url: "https://api/x?n=1"}',
        "args:\n        - url: |\n            # https://api/x?n=1",
    )

    again = read(render_plan(read(text, tmp_path), ()).decode(), tmp_path).train

    assert again is not None
    assert again.steps[0].args == {"url": "# https://api/x?n=1\n"}


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


DATA = """\
external_path:
  - load_train_data_path:
      - https://me:s3cr3t@host/a.csv?token=s3cr3t
      - https://host/get?file=s3cr3t
      - https://host/get?file=s3cr3t2
  - load_model_path: https://host/m.tar.gz?X-Amz-Signature=s3cr3t
"""


def test_urls_of_data_and_models_are_cut_too_and_found_again_by_their_places(
    tmp_path: Path,
) -> None:
    plan = read(DATA + PLAN.format(code="local"), tmp_path)

    kept = render_plan(plan, ())
    again = read(kept.decode(), tmp_path)

    assert b"s3cr3t" not in kept.partition(b"user_parameters")[0]  # a comment among them
    assert again.external.load_train_data_path == (
        "https://host/a.csv",
        "https://host/get",
        "https://host/get",
    )
    assert with_passwords_of(again, plan).external == plan.external
    assert unknown_urls(again, plan) == []


def test_urls_that_the_plan_of_the_project_does_not_have_are_named(tmp_path: Path) -> None:
    plan = read(DATA + PLAN.format(code="local"), tmp_path)
    kept = read(render_plan(plan, ()).decode(), tmp_path)
    other = read(DATA.replace("/a.csv", "/b.csv") + PLAN.format(code="local"), tmp_path)

    assert with_passwords_of(kept, other).external.load_train_data_path[1:] == (
        "https://host/get?file=s3cr3t2",
        "https://host/get?file=s3cr3t2",
    )
    assert unknown_urls(kept, other) == ["https://host/a.csv"]
    assert unknown_urls(kept, None)[-1] == "https://host/m.tar.gz"


def test_the_token_of_the_alarms_url_is_not_kept_and_found_again(tmp_path: Path) -> None:
    steps = "user_parameters: {train_pipeline: [{step: a}]}"
    plan = read(f"{steps}\nalarm: {{score_below: 1, url: 'https://h/x?t=s3cr3t'}}\n", tmp_path)

    text = render_plan(plan, ["a change"]).decode()
    kept = read(text, tmp_path)

    assert "s3cr3t" not in text + render_plan(plan, ()).decode()
    assert kept.alarm is not None
    assert kept.alarm.url == "https://h/x"
    assert with_passwords_of(kept, plan).alarm == plan.alarm
