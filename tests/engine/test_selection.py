"""``--resume``, ``--from``, ``--until`` and ``--only`` run a part on stored results, exactly."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.engine.workspace.unfinished import UnfinishedRun
from alo.errors import StepError, UsageError
from alo.events.types import LogLine, StepFinished

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]

STEPS = {
    "one": "self.data['x'] = object.__new__(type('T', (), {})).__class__.__name__ + '1'\n"
    "Path(self.asset.get_model_path(), 'one').write_text('one')",
    "two": "self.data['y'] = self.data['x'] + str(self.args.get('n'))",
    "three": "self.asset.save_summary(self.data['y'], 1)\n"
    "Path(self.asset.get_output_path(), 'y').write_text(self.data['y'])",
}
BROKEN = {**STEPS, "three": "raise ValueError('not yet')"}
FILE = {"interface_mode": "file"}


@pytest.fixture
def again(run: Run, heard: Any) -> Callable[..., dict[str, str]]:
    """Run; the status of each step that is told of."""

    def call(home: Path, **options: Any) -> dict[str, str]:
        heard.clear()
        run(home, **options)
        return {step.step: step.status for step in heard.of(StepFinished)}

    return call


def warnings(heard: Any) -> str:
    return "\n".join(line.text for line in heard.of(LogLine) if line.level == "WARNING")


def records(home: Path) -> list[dict[str, Any]]:
    files = home.glob("history/train/*/log/experimental_history.json")
    return sorted((json.loads(file.read_text()) for file in files), key=lambda r: r["start_time"])


@pytest.fixture
def failed(make_solution: MakeSolution, run: Run) -> Path:
    """A run in file mode that has failed at its third step; the asset is mended by now."""
    home = make_solution(BROKEN, args={"two": {"n": 5}}, control=FILE)
    with pytest.raises(StepError):
        run(home)
    make_solution(STEPS, args={"two": {"n": 5}}, control=FILE)
    return home


def test_resume_continues_at_the_step_that_failed(
    failed: Path, again: Callable[..., dict[str, str]]
) -> None:
    statuses = again(failed, resume=True)

    assert statuses == {"one": "cached", "two": "cached", "three": "success"}
    assert (failed / "train_artifacts/output/y").read_text() == "T15"
    assert (failed / "train_artifacts/models/one/one").read_text() == "one"
    assert [record["status"] for record in records(failed)] == ["error", "success"]


def test_a_step_that_has_changed_meanwhile_is_named_and_run_again(
    failed: Path, again: Callable[..., dict[str, str]], heard: Any
) -> None:
    statuses = again(failed, resume=True, overrides=("two.n=6",))

    assert statuses == {"one": "cached", "two": "success", "three": "success"}
    assert "the steps from 'two' on run again: args changed: n 5 → 6" in warnings(heard)
    assert (failed / "train_artifacts/output/y").read_text() == "T16"


def test_after_a_success_there_is_nothing_to_resume(
    failed: Path, again: Callable[..., dict[str, str]], heard: Any
) -> None:
    again(failed, resume=True)

    assert again(failed, resume=True) == {}
    assert any("nothing to resume" in line.text for line in heard.of(LogLine))


def test_in_memory_mode_resume_says_what_to_set(make_solution: MakeSolution, run: Run) -> None:
    home = make_solution(BROKEN)
    with pytest.raises(StepError):
        run(home)

    with pytest.raises(UsageError, match="cache: True"):
        run(home, resume=True)


def test_from_a_step_takes_the_earlier_ones_from_the_store(
    failed: Path, again: Callable[..., dict[str, str]]
) -> None:
    again(failed)

    statuses = again(failed, first="two")

    assert statuses == {"one": "cached", "two": "success", "three": "success"}
    assert (failed / "train_artifacts/models/one/one").read_text() == "one"


def test_from_a_step_begins_earlier_where_something_has_changed(
    failed: Path, again: Callable[..., dict[str, str]], heard: Any
) -> None:
    again(failed)
    asset = failed / "assets/one/asset_one.py"
    asset.write_text(asset.read_text().replace("+ '1'", "+ '2'"))

    statuses = again(failed, first="three")

    assert statuses == {"one": "success", "two": "success", "three": "success"}
    assert "the steps from 'one' on run again: code changed: assets/one/asset_one.py" in warnings(
        heard
    )
    assert (failed / "train_artifacts/output/y").read_text() == "T25"


@pytest.mark.parametrize(
    ("first", "last", "part"), [("", "two", "until two"), ("two", "two", "only two")]
)
def test_a_run_of_a_part_is_in_history_and_leaves_the_artifacts_alone(
    first: str, last: str, part: str, failed: Path, again: Callable[..., dict[str, str]]
) -> None:
    again(failed)
    before = (failed / "train_artifacts/output/y").read_text()

    statuses = again(failed, first=first, last=last, overrides=("two.n=9",))

    assert statuses["two"] == "success"
    assert "three" not in statuses
    assert (failed / "train_artifacts/output/y").read_text() == before
    newest = records(failed)[-1]
    assert (newest["part"], newest["status"]) == (part, "success")
    assert again(failed, resume=True) == {}  # the last whole run is what counts


def test_a_part_that_was_killed_at_its_very_end_leaves_the_artifacts_alone(
    failed: Path, again: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    again(failed)

    def killed(run: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(UnfinishedRun, "put_back", killed)
        with pytest.raises(SystemExit):
            again(failed, last="two")
    assert (failed / ".unfinished_run").is_dir()

    again(failed, last="one")

    assert (failed / "train_artifacts/output/y").read_text() == "T15"


def test_a_part_without_anything_stored_says_what_to_set(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution(STEPS)
    run(home)

    with pytest.raises(UsageError, match="nothing is stored of step 'one'"):
        run(home, first="two")


def test_unknown_steps_and_wrong_orders_are_reported(failed: Path, run: Run) -> None:
    with pytest.raises(UsageError, match=r"(?s)'four'.*one, three, two"):
        run(failed, first="four")
    with pytest.raises(UsageError, match="comes after"):
        run(failed, first="three", last="one")
    with pytest.raises(UsageError, match="continues where the last run failed"):
        run(failed, resume=True, first="two")


def test_a_step_that_both_pipelines_have_needs_the_mode(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"input": ""}, {"input": ""}, control=FILE)

    with pytest.raises(UsageError, match="--mode"):
        run(home, last="input")


def test_what_a_run_stored_goes_with_its_history(make_solution: MakeSolution, run: Run) -> None:
    home = make_solution(
        {
            "one": "self.data['x'] = 'y' * 200_000\n"
            "Path(self.asset.get_output_path(), 'f').write_text('z' * 3_000_000)"
        },
        control={**FILE, "backup_size": 4},
    )

    ids = [run(home)[0].run_id for _ in range(4)]

    kept = {path.name for path in (home / ".asset_interface/train").iterdir()}
    assert ids[-1] in kept
    assert ids[0] not in kept
    assert {path.name for path in (home / ".asset_interface/results/train").iterdir()} == kept


def test_where_nothing_ever_ran_there_is_nothing_to_resume_and_no_success(
    make_solution: MakeSolution, run: Run, alo: Callable[..., Any]
) -> None:
    home = make_solution(STEPS, control=FILE)

    with pytest.raises(UsageError, match="no run of train_pipeline is in history"):
        run(home, resume=True)
    ended = alo("run", "--resume", cwd=home)

    assert ended.returncode == 2
    assert "succe" not in ended.stdout + ended.stderr
