"""A past run can be run again from its history entry alone, to the same ids (spec 8)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from alo.engine.rerun import require_models, rerun
from alo.errors import CheckError, HistoryError, RunError, StepError
from alo.events.types import LogLine
from alo.history.browse import History
from alo.layout import Workspace

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]

WHOLE = """\
from alolib.asset import Asset


class UserAsset(Asset):
    def run(self):
        self.asset.save_data({})
        self.asset.save_config({**self.asset.load_config()})
"""
SAVE = "Path(self.asset.get_model_path(), 'model').write_text(repr(self.args))"
USE = """\
model = Path(self.asset.get_model_path(), 'model').read_text()
self.asset.save_summary('used', 1, note=model)
Path(self.asset.get_output_path(), 'a.csv').write_text(model)
"""


def record(outcome) -> dict:  # type: ignore[no-untyped-def, type-arg]
    return json.loads((outcome.history / "log/experimental_history.json").read_text())


def test_a_train_run_comes_out_the_same_after_plan_and_assets_have_changed(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"train": SAVE}, args={"train": {"n": 1}})
    (first,) = run(home, overrides=("train.n=7",))
    make_solution({"train": "raise SystemExit"}, args={"train": {"n": 2}})

    again = rerun(home, first.run_id, lambda event: None)

    assert again.run_id != first.run_id
    for name in ("data_id", "code_id", "param_id", "args"):
        assert record(again)[name] == record(first)[name]
    assert (home / "train_artifacts/models/train/model").read_text() == "{'n': 7}"


def test_the_folder_of_all_assets_is_that_of_the_past_run(
    make_solution: MakeSolution, run: Run
) -> None:
    seen = "self.data['seen'] = Path(self.asset.asset_home, 'train/beside.txt').read_text()"
    home = make_solution({"train": seen, "check": "assert self.data['seen'] == 'then'"})
    (home / "assets/train/beside.txt").write_text("then")
    (first,) = run(home)
    (home / "assets/train/beside.txt").write_text("now")

    again = rerun(home, first.run_id, lambda event: None)

    assert record(again)["code_id"] == record(first)["code_id"]


def test_an_inference_is_run_again_with_the_model_that_it_used(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"train": SAVE}, {"inference": USE}, args={"train": {"n": 1}})
    _, first = run(home)
    run(home, "train", overrides=("train.n=2",))

    again = rerun(home, first.run_id, lambda event: None)

    assert record(again)["train_id"] == record(first)["train_id"]
    assert (home / "inference_artifacts/output/a.csv").read_text() == "{'n': 1}"
    # the model of the last train run is the current one again
    assert (home / "train_artifacts/models/train/model").read_text() == "{'n': 2}"


def test_other_data_than_that_of_the_run_is_refused_and_named(
    make_solution: MakeSolution, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/table.csv").write_text("1")
    home = make_solution({"train": SAVE}, external={"load_train_data_path": str(tmp_path / "data")})
    (first,) = run(home)
    (tmp_path / "data/table.csv").write_text("22")

    with pytest.raises(RunError, match=r"data/table\.csv"):
        rerun(home, first.run_id, lambda event: None)


def test_a_missing_entry_and_a_missing_model_are_reported(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"train": SAVE}, {"inference": USE})
    trained, inferred = run(home)
    run(home, "train")
    History(Workspace(home)).remove([trained.run_id])

    with pytest.raises(HistoryError):
        rerun(home, "20000101T000000Z", lambda event: None)
    with pytest.raises(HistoryError, match=trained.run_id):
        rerun(home, inferred.run_id, lambda event: None)


METADATA = '{"metadata_version": "7.1", "name": "x", "pipeline": [{"type": "train"}]}'
PARTS = {
    "one": "self.data['x'] = 1",
    "two": "self.data['y'] = self.data['x'] + self.args['n']\n"
    "Path(self.asset.get_output_path(), 'y').write_text(str(self.data['y']))",
    "three": "raise AssertionError('it is no part of it')",
}


@pytest.mark.parametrize("cache", [False, True])
@pytest.mark.parametrize("options", [{"last": "two"}, {"first": "two", "last": "two"}])
def test_a_rerun_of_a_part_stays_a_part_and_says_so(
    options: dict[str, str], cache: bool, make_solution: MakeSolution, run: Run, heard: Any
) -> None:
    control = {"cache": cache, "interface_mode": "file"}
    home = make_solution({**PARTS, "three": ""}, args={"two": {"n": 1}}, control=control)
    run(home)
    before = (home / "train_artifacts/output/y").read_text()
    make_solution(PARTS, args={"two": {"n": 5}}, control=control)
    (part,) = run(home, **options)
    heard.clear()

    again = rerun(home, part.run_id, heard)

    assert [step.name for step in again.steps] == ["one", "two"]
    assert record(again)["part"] == "until two"
    for name in ("data_id", "code_id", "param_id"):
        assert record(again)[name] == record(part)[name]
    assert (again.history / "output/y").read_text() == "6"
    assert (home / "train_artifacts/output/y").read_text() == before == "2"
    warnings = [line.text for line in heard.of(LogLine) if line.level == "WARNING"]
    assert any(f"{part.run_id} was a run of a part" in text for text in warnings)


def test_an_entry_whose_plan_was_changed_is_not_run_as_if_it_had_not(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"train": SAVE}, args={"train": {"n": 1}})
    (first,) = run(home)
    plan = first.history / "experimental_plan.yaml"
    plan.write_text(plan.read_text().replace('"n": 1', '"n": true'))

    with pytest.raises(HistoryError, match="does not give the args") as caught:
        rerun(home, first.run_id, lambda event: None)

    assert caught.value.where == str(plan)
    assert "alo history verify" in caught.value.fix


def test_args_of_every_type_are_those_of_the_run_again(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"train": SAVE}, args={"train": {"n": 0}})
    values = ["true", "1.0", "-0.0", "2026-03-01", "{0: a}", ".nan", "!!binary YQ==", "'1'"]
    for value in values:
        (first,) = run(home, overrides=(f"train.n={value}",))
        wrote = (home / "train_artifacts/models/train/model").read_text()

        again = rerun(home, first.run_id, lambda event: None)

        assert record(again)["param_id"] == record(first)["param_id"]
        assert (home / "train_artifacts/models/train/model").read_text() == wrote


def test_a_rerun_has_the_version_of_the_metadata_that_the_run_had(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"train": "self.asset.save_summary('x', 1)"})
    (first,) = run(home, "train", system=METADATA)
    summary = (home / "train_artifacts/score/train_summary.yaml").read_text()
    assert "v7.1" in summary

    rerun(home, first.run_id, lambda event: None)

    assert "v7.1" in (home / "train_artifacts/score/train_summary.yaml").read_text()


def test_a_model_that_no_one_knows_is_reported_of(
    make_solution: MakeSolution, run: Run, heard: Any
) -> None:
    home = make_solution({"train": SAVE}, {"inference": USE})
    run(home, "train")
    (home / "train_artifacts/models/train/model").write_text("by hand")
    (inferred,) = run(home, "inference")
    heard.clear()

    rerun(home, inferred.run_id, heard)

    warnings = [line.text for line in heard.of(LogLine) if line.level == "WARNING"]
    assert any("not known which model" in text for text in warnings)


def test_a_model_that_came_from_outside_is_loaded_from_there_again_with_a_warning(
    make_solution: MakeSolution, run: Run, heard: Any, tmp_path: Path
) -> None:
    (tmp_path / "models/train").mkdir(parents=True)
    (tmp_path / "models/train/model").write_text("from outside")
    external = {"load_model_path": str(tmp_path / "models")}
    home = make_solution({"train": SAVE}, {"inference": USE}, external=external)
    (inferred,) = run(home, "inference")
    heard.clear()

    again = rerun(home, inferred.run_id, heard)

    assert again.summary["note"] == "from outside"
    warnings = [line.text for line in heard.of(LogLine) if line.level == "WARNING"]
    assert any(f"the model of {inferred.run_id} came from outside" in text for text in warnings)


def test_a_run_that_wrote_no_models_lends_none(make_solution: MakeSolution, run: Run) -> None:
    home = make_solution({"train": SAVE})
    (with_model,) = run(home)
    make_solution({"train": ""})
    (without,) = run(home)

    assert require_models(Workspace(home), with_model.run_id) == with_model.run_id
    with pytest.raises(HistoryError, match="has no models: its steps wrote none") as caught:
        require_models(Workspace(home), without.run_id)
    assert caught.value.where == str(without.history)


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({}, "does not say what its code is"),
        ({"../outside.py": "0"}, r"\.\./outside.py cannot be a file of a project's code"),
        ({"/outside.py": "0"}, "/outside.py cannot be a file of a project's code"),
    ],
)
def test_an_entry_whose_list_of_code_was_changed_is_refused(
    files: dict[str, str], what: str, make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"train": SAVE})
    (first,) = run(home)
    path = first.history / "log/experimental_history.json"
    content = json.loads(path.read_text())
    content["code_id_description"]["files"] = files
    path.write_text(json.dumps(content))

    with pytest.raises(HistoryError, match=what) as caught:
        rerun(home, first.run_id, lambda event: None)

    assert caught.value.where == str(first.history)
    assert not list((home / ".alo").glob("rerun-*"))


FAILS = """\
import helper
from shop import broken
if self.args["fails"] == "asset":
    raise ValueError("in the asset")
helper.fail() if self.args["fails"] == "helper" else broken.fail()
"""


@pytest.mark.parametrize("isolation", ["", "process"])
@pytest.mark.parametrize(
    ("fails", "place"),
    [
        ("asset", "assets/train/asset_train.py:18, in run()"),
        ("helper", "assets/train/helper.py:2, in fail()"),
        ("shared", "project_code/shop/broken.py:2, in fail()"),
    ],
)
def test_what_fails_in_a_rerun_is_reported_with_the_file_in_history(
    fails: str, place: str, isolation: str, make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution(
        {"train": FAILS},
        args={"train": {"fails": fails}},
        beside={"train": {"isolation": isolation}} if isolation else None,
    )
    for name in ("assets/train/helper.py", "shop/broken.py"):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text("def fail():\n    raise ValueError('in a module')\n")
    with pytest.raises(StepError):
        run(home)
    (entry,) = (home / "history/train").iterdir()
    make_solution({"train": "raise AssertionError('the code of now')"}, args={"train": {}})

    with pytest.raises(StepError) as caught:
        rerun(home, entry.name.removesuffix("-error"), lambda event: None)

    assert caught.value.where == f"history/train/{entry.name}/{place}"
    named = place.partition(":")[0]
    assert f'File "{entry}/{named}", line' in caught.value.user_traceback
    assert "raise ValueError(" in caught.value.user_traceback  # the line itself, from that file
    assert "rerun-" not in caught.value.user_traceback


def test_what_the_check_finds_in_a_rerun_is_reported_with_the_file_in_history(
    make_solution: MakeSolution, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/gone_by_then.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "lib")
    home = make_solution({"train": "# \nimport gone_by_then\n" + WHOLE})
    (first,) = run(home)
    (tmp_path / "lib/gone_by_then.py").unlink()
    monkeypatch.delitem(sys.modules, "gone_by_then")

    with pytest.raises(CheckError) as caught:
        rerun(home, first.run_id, lambda event: None)

    (problem,) = caught.value.problems
    assert problem.file == f"history/train/{first.run_id}/assets/train/asset_train.py"


@pytest.mark.parametrize("name", ["assets/train/asset_train.py", "project_code/shop.py"])
@pytest.mark.parametrize("change", ["edited", "gone"])
def test_an_entry_whose_code_was_changed_is_not_run_as_if_it_had_not(
    name: str, change: str, make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"train": "import shop"})
    (home / "shop.py").touch()
    (first,) = run(home)
    file = first.history / name
    file.unlink()
    if change == "edited":
        file.write_text("print('other code')\n")

    with pytest.raises(HistoryError, match="is not what run") as caught:
        rerun(home, first.run_id, lambda event: None)

    assert caught.value.where == str(file)
    assert not list((home / ".alo").glob("rerun-*"))


def test_a_rerun_takes_nothing_from_the_project_as_it_is_now(
    make_solution: MakeSolution, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the process, or the asset itself, has the project's folder on its path."""
    code = """\
    import sys
    sys.path.insert(0, self.asset.project_home)
    try:
        import late
    except ImportError:
        late = None
    import shop
    self.asset.save_summary(f"{shop.X} {late}", 1)
    """
    home = make_solution({"train": dedent(code)})
    (home / "shop.py").write_text("X = 'then'")
    (first,) = run(home)
    (home / "shop.py").write_text("X = 'now'")
    (home / "late.py").touch()
    monkeypatch.syspath_prepend(home)
    monkeypatch.delitem(sys.modules, "shop", raising=False)
    import shop  # type: ignore[import-not-found]

    again = rerun(home, first.run_id, lambda event: None)

    assert again.summary == first.summary
    assert first.summary is not None
    assert first.summary["result"] == "then None"
    assert sys.modules["shop"] is shop
    assert shop.X == "now"


def test_a_rerun_that_fails_leaves_the_current_model_and_not_the_one_it_had_borrowed(
    make_solution: MakeSolution, run: Run, tmp_path: Path
) -> None:
    fail = f"if Path({str(tmp_path / 'fail')!r}).exists(): raise ValueError\n"
    home = make_solution({"train": SAVE}, {"inference": fail + USE}, args={"train": {"n": 1}})
    _, first = run(home)
    run(home, "train", overrides=("train.n=2",))
    (tmp_path / "fail").touch()

    with pytest.raises(StepError, match="ValueError"):
        rerun(home, first.run_id, lambda event: None)

    assert (home / "train_artifacts/models/train/model").read_text() == "{'n': 2}"
