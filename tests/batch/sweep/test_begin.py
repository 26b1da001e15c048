"""What a sweep is to be: args that are known, values that make sense, all problems at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alo.batch.sweep.begin import (
    SweepRequest,
    definition_of,
    fixed_args,
)
from alo.errors import CheckError
from alo.layout import find_plan
from alo.plan.load import load_plan
from alo.plan.model import Plan

UI = """
ui_args_detail:
  - train_pipeline:
    - step: train
      args:
        - {name: depth, type: int, range: [1, 64], scale: log}
        - {name: rate, type: float, range: [0.1, 1]}
        - {name: kind, type: single_selection, selectable: [gini, entropy]}
        - {name: columns, type: multi_selection, selectable: [a, b]}
        - {name: title, type: string}
"""
PLAN = """
name: p
user_parameters:
  - train_pipeline:
    - {step: prep, args: {}}
    - {step: train, args: {depth: 3, kind: gini}, ui_args: [depth, rate, kind, columns, title]}
  - inference_pipeline:
    - {step: infer, args: {threshold: 0.5}}
"""


def plan_of(home: Path, more: str = UI) -> Plan:
    (home / "solution").mkdir(exist_ok=True)
    (home / "solution" / "experimental_plan.yaml").write_text(PLAN + more)
    return load_plan(find_plan(home), home=home)


def begun(plan: Plan, *params: str, **asked: Any) -> Any:
    return definition_of(SweepRequest(params=params, **asked), plan, (), "s", "now")


def problems(plan: Plan, *params: str, **asked: Any) -> list[str]:
    with pytest.raises(CheckError) as raised:
        begun(plan, *params, **asked)
    assert raised.value.exit_status == 2
    return [str(each) for each in raised.value.problems]


def test_params_of_the_command_and_what_is_usual(tmp_path: Path) -> None:
    found = begun(plan_of(tmp_path), "train.depth=2..4", "train.kind=gini,entropy")
    definition = found.definition
    assert [param.name for param in definition.params] == ["train.depth", "train.kind"]
    assert (definition.sampler, definition.seed) == ("grid", 0)
    assert [metric.text for metric in definition.metrics] == ["score:max"]
    assert found.definition.trials is None


def test_the_arg_may_be_known_to_the_ui_alone(tmp_path: Path) -> None:
    assert begun(plan_of(tmp_path), "train.rate=0.1..1").definition.params[0].key == "rate"


def test_every_problem_is_told_at_once_and_the_nearest_name(tmp_path: Path) -> None:
    reported = problems(
        plan_of(tmp_path),
        "trian.depth=1..2", "train.dept=1..2", "train.depth=5..1", "train.depth", "depth=3",
        "inference.infer.threshold=0.1..0.9",
    )  # fmt: skip
    assert len(reported) == 6
    assert "no step 'trian'; did you mean 'train'?" in reported[0]
    assert "step 'train' has no arg 'dept'; did you mean 'depth'?" in reported[1]
    assert "wrong way round" in reported[2]
    assert "no values" in reported[3]
    assert "names no arg" in reported[4]
    assert "--mode all" in reported[5]


def test_an_arg_twice_and_one_that_is_fixed_are_refused(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    assert "train.depth is there twice" in problems(plan, "train.depth=1,2", "train.depth=3,4")[0]
    with pytest.raises(CheckError, match="set by --set or the solution metadata, too"):
        definition_of(
            SweepRequest(params=["train.depth=1,2"]), plan, [("train", "train", "depth")], "s", ""
        )


def test_a_grid_of_any_number_is_refused_and_nothing_to_sweep_too(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    assert (
        "has no step, which a grid needs" in problems(plan, "train.rate=0.1..1", sampler="grid")[0]
    )
    assert "no arg is swept" in problems(plan)[0]


def test_from_ui_takes_what_is_bounded_and_says_what_is_not(tmp_path: Path) -> None:
    found = begun(plan_of(tmp_path), from_ui=[])
    assert {param.key: param.domain.text for param in found.definition.params} == {
        "depth": "1..64@log",
        "rate": "0.1..1.0",
        "kind": "'gini','entropy'",
        "columns": "['a'],['b'],['a','b']",
    }
    assert found.notes == ("left out, as nothing bounds them: train.title",)
    one = begun(plan_of(tmp_path), from_ui=["train.kind"])
    assert [param.key for param in one.definition.params] == ["kind"]
    assert "train.other" in problems(plan_of(tmp_path), from_ui=["train.other"])[0]
    assert "is bounded by ui_args_detail" in problems(plan_of(tmp_path, ""), from_ui=[])[0]


def test_too_many_selections_have_to_be_named(tmp_path: Path) -> None:
    many = UI.replace("selectable: [a, b]", "selectable: [a, b, c, d, e, f, g]")
    assert (
        "more than 64 selections" in problems(plan_of(tmp_path, many), from_ui=["train.columns"])[0]
    )
    found = begun(plan_of(tmp_path, many), "train.columns=[a],[a, b]", from_ui=[])
    domains = {param.key: param.domain.text for param in found.definition.params}
    assert (domains["columns"], "depth" in domains) == ("['a'],['a','b']", True)


def test_a_sweep_of_the_plan_and_the_command_over_it(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        """
sweep:
  metric: [f1, size]
  direction: [max, minimize]
  sampler: random
  trials: 7
  seed: 4
  params:
    train.depth: {range: [2, 20], scale: log}
    train.kind: {choices: [gini, entropy]}
""",
    )
    found = begun(plan)
    definition = found.definition
    assert (definition.trials, definition.sampler, definition.seed) == (7, "random", 4)
    assert [each.text for each in found.definition.metrics] == ["f1:max", "size:min"]
    domains = [each.domain.text for each in found.definition.params]
    assert domains == ["2..20@log", "'gini','entropy'"]
    other = begun(plan, "train.kind=x,y", metrics=["score"], trials=2, seed=0)
    assert [each.name for each in other.definition.params] == ["train.kind"]
    assert (other.definition.trials, other.definition.seed) == (2, 0)


def test_problems_of_the_plan_have_their_line(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "sweep:\n  params:\n    train.dpth: {range: [2, 20]}\n")
    (reported,) = problems(plan)
    assert "solution/experimental_plan.yaml:11:17" in reported
    assert "did you mean 'depth'?" in reported


def test_repeats_need_a_seed_arg_that_is_not_swept(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    assert "--seed-arg" in problems(plan, "train.kind=gini,entropy", repeats=3)[0]
    swept = problems(plan, "train.depth=1,2", repeats=3, seed_arg="train.depth")
    assert "it is swept, too" in swept[0]
    found = begun(plan, "train.kind=gini,entropy", repeats=3, seed_arg="train.depth")
    assert found.definition.seed_arg == "train.depth"


def test_args_are_found_to_be_set_also_to_what_they_are(
    tmp_path: Path,
) -> None:
    plan = plan_of(tmp_path)
    assert list(fixed_args(plan, plan, ["train.depth=3"])) == [("train", "train", "depth")]
    assert list(fixed_args(plan, plan, [])) == []
