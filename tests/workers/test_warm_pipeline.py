"""A warm pipeline answers with what it had at boot, and what it keeps is whole."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from alo.engine.checks.preflight import check_solution
from alo.engine.request import RunRequest
from alo.engine.spec import Job
from alo.history.entries.not_kept import not_kept
from alo.history.entries.verify import damage
from alo.workers import warm_pipeline
from alo.workers.protocol import Failure, Request, Stage, Summary
from alo.workers.warm_pipeline import WarmPipeline

MakeSolution = Callable[..., Path]
Answer = Callable[[], str]

TRAIN = """\
model = Path(self.asset.get_model_path())
(model / "weights").write_text(str(self.args["k"]))
(model / "current").symlink_to(model / "weights")
"""
GIVE = """\
from shop.kinds import Kind
self.data["kind"] = Kind.GOOD
"""
INFERENCE = """\
from shop.kinds import Kind
import shop.late, helper
import shop.counted as counted
import sys; sys.path.insert(0, self.asset.project_home + "lib"); import tool
counted.COUNT += 1
is_same = self.data["kind"] is Kind.GOOD
weights = Path(self.asset.get_model_path(), "current").read_text()
self.asset.save_summary(f"{is_same} {weights} {shop.late.X} {helper.X} {counted.COUNT} {tool.X}", 1)
output = Path(self.asset.get_output_path())
(output.parent / "extra_output/kept").mkdir(parents=True, exist_ok=True)
(output.parent / "extra_output/kept/a.csv").write_text(weights)
(output / "a.csv").symlink_to(output.parent / "extra_output/kept/a.csv")
"""
FILES = {
    "shop/kinds.py": "from enum import Enum\n\n\nclass Kind(Enum):\n    GOOD = 1\n",
    "shop/late.py": "X = 'old'",
    "shop/counted.py": "COUNT = 0",
    "lib/tool.py": "X = 'tool'",
    "assets/inference/helper.py": "X = 'old'",
}


@pytest.fixture
def home(make_solution: MakeSolution, run: Callable[..., Any]) -> Path:
    home = make_solution(
        {"train": TRAIN}, {"give": GIVE, "inference": INFERENCE}, args={"train": {"k": 1}}
    )
    for name, text in FILES.items():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(text)
    run(home, "train")
    return home


@pytest.fixture
def warm(home: Path) -> WarmPipeline:
    """It imports what its steps import at the top only when they first run."""
    job: Job
    (job,) = check_solution(RunRequest(home, mode="inference")).jobs
    models = home / "train_artifacts/models"
    return WarmPipeline(job, home / ".alo/worker", models, "a-run", lambda event: None)


@pytest.fixture
def answer(warm: WarmPipeline) -> Answer:
    """The result of one more request."""

    def ask() -> str:
        reported: list[object] = []
        warm.run(Request("r"), reported.extend)
        (summary,) = [each for each in reported if isinstance(each, Summary)]
        return str(summary.content["result"])

    return ask


def test_modules_are_shared_by_the_steps_and_stay_as_at_boot(home: Path, answer: Answer) -> None:
    for name in ("shop/late.py", "assets/inference/helper.py"):
        (home / name).write_text("X = 'new'")

    assert answer() == "True 1 old old 1 tool"
    assert answer() == "True 1 old old 2 tool"


def test_a_pinned_model_is_its_own_though_it_holds_a_link_to_where_it_was_made(
    home: Path, warm: WarmPipeline, answer: Answer, run: Callable[..., Any]
) -> None:
    run(home, "train", overrides=("train.k=2",))

    assert answer().startswith("True 1 ")


def test_what_history_keeps_of_a_request_holds_its_files_and_its_code(
    home: Path, warm: WarmPipeline, answer: Answer
) -> None:
    answer()
    warm.release()
    while warm.run_deferred():
        pass

    (entry,) = (home / "history/inference").iterdir()
    assert os.readlink(entry / "output/a.csv") == "../extra_output/kept/a.csv"
    assert (entry / "output/a.csv").read_text() == "1"
    record = json.loads((entry / "log/experimental_history.json").read_text())
    assert all(step["peak_bytes"] for step in record["steps"])
    assert set(FILES) <= record["code_id_description"]["files"].keys()
    assert (entry / "project_code/shop/late.py").read_text() == "X = 'old'"


def test_history_keeps_the_input_of_a_request_and_the_next_has_its_own(
    home: Path, warm: WarmPipeline, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rows.csv").write_text(name)
        warm.run(Request(name, data=(f"{tmp_path / name}/",)), lambda news: None)
    warm.release()
    while warm.run_deferred():
        pass

    entries = list((home / "history/inference").iterdir())
    given = [[path.read_text() for path in each.glob("input/*/rows.csv")] for each in entries]
    assert sorted(given) == [["one"], ["two"]]
    assert all(damage(entry) == [] for entry in entries)
    assert list((home / ".alo/worker/kept").iterdir()) == []


def test_what_history_cannot_keep_of_requests_is_counted(
    home: Path, warm: WarmPipeline, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm_pipeline, "MOST_PENDING", 1)
    for _ in range(3):  # of which the last one alone may wait
        answer()
    warm.release()
    assert not_kept(home / "history", "inference").runs == 2
    (home / "history/inference").write_text("no folder")

    assert not warm.run_deferred()

    assert not_kept(home / "history", "inference").runs == 3


@pytest.mark.parametrize(
    ("size", "first"),
    [
        (10, [["setup", "load", "run", "run.give"], ["run.inference"]]),
        (1 << 21, [["setup", "load"], ["run", "run.give"], ["run.inference"]]),
    ],
)
def test_what_is_reported_of_a_small_request_before_it_runs_is_one_message(
    home: Path, warm: WarmPipeline, tmp_path: Path, size: int, first: list[list[str]]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/x.csv").write_bytes(b"x" * size)
    reported: list[list[str]] = []

    def listen(news: Sequence[object]) -> None:
        reported.append([each.name for each in news if isinstance(each, Stage)])

    warm.run(Request("r", data=(f"{tmp_path}/data/",)), listen)

    assert reported[: len(first)] == first


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request("r", args={"inferense": {"k": 2}}), "no step 'inferense'; did you mean"),
        (Request("r", metadata={"pipeline": [{"type": "train"}]}), "names no dataset_uri"),
        (Request("r", metadata={"name": "a\ud800"}), "half a character"),
    ],
    ids=["args of a step that is not there", "metadata without data", "metadata with odd text"],
)
def test_a_request_that_cannot_be_applied_is_refused_and_the_next_is_answered(
    warm: WarmPipeline, answer: Answer, request_: Request, words: str
) -> None:
    reported: list[object] = []

    warm.run(request_, reported.extend)

    (failure,) = [each for each in reported if isinstance(each, Failure)]
    assert (failure.kind, words in failure.comment) == ("refused", True), failure
    assert answer() == "True 1 old old 1 tool"
