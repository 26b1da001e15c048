"""What an open review, a candidate or a promotion needs stays, and it is said what holds a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.database.connection import Database
from alo.datasets.catalog import Catalog
from alo.datasets.make import DatasetRequest, make_version
from alo.datasets.manifest import Meaning
from alo.errors import HistoryError
from alo.history.browse import History
from alo.history.pins import pins
from alo.layout import Workspace
from alo.loop.candidates import keep_candidate, remove_version
from alo.loop.held_runs import close_review, reopen_review
from alo.serve.rollout.choose import deploy_model

from ..datasets.conftest import make_row
from .conftest import Make

Train = Callable[[], str]
MODEL = "Path(self.asset.get_model_path(), 'm').write_text('x' * 900)"


@pytest.fixture
def home(make_solution: Callable[..., Path]) -> Path:
    """A project with both pipelines, whose history has room for next to nothing."""
    output = "Path(self.asset.get_output_path(), 'output.csv').write_text('id,prediction\\na,x\\n')"
    return make_solution(
        train={"train": MODEL},
        inference={"infer": f"{output}\nself.asset.save_summary('fine', 0.5)"},
        args={"infer": {"rows": []}},
        control={"backup_size": 0},
    )


@pytest.fixture
def train(home: Path, run: Callable[..., Any]) -> Train:
    """``train()``: the id of a new train run."""

    def train_it() -> str:
        (outcome,) = run(home, mode="train")
        return str(outcome.run_id)

    return train_it


def kept(home: Path) -> set[str]:
    return {record.id for record in History(Workspace(home)).list(limit=None)}


def is_held_by(home: Path, run: str, holder: str) -> bool:
    """Whether neither a full history, nor `prune`, nor `remove` takes a run, and why is said."""
    history = History(Workspace(home))
    assert run not in history.prune(keep=0, size_mb=0)
    with pytest.raises(HistoryError) as refused:
        history.remove([run])
    assert run in kept(home)
    return refused.value.what.startswith(f"run {run} is in use: {holder} ")


def test_the_newest_candidate_and_what_it_was_compared_with_stay(home: Path, train: Train) -> None:
    workspace, first = Workspace(home), train()
    keep_candidate(workspace, "d", [first, ""])
    second = train()  # for whose sake history would drop the first
    keep_candidate(workspace, "d", [second, first])
    train()

    assert is_held_by(home, first, "the newest candidate of data set d")
    assert is_held_by(home, second, "the newest candidate of data set d")
    keep_candidate(workspace, "d", [second])
    train()
    assert first not in kept(home)


def test_without_its_data_set_a_candidate_is_needed_no_more(home: Path, train: Train) -> None:
    workspace, catalog = Workspace(home), Catalog(Workspace(home))
    for number in range(2):
        request = DatasetRequest(
            name="d",
            rows=[make_row(number)],
            reviews=["r"],
            base="none",
            meaning=Meaning(columns=("id", "x")),
        )
        make_version(catalog, request)
    keep_candidate(workspace, "d", ["run"])

    remove_version(workspace, catalog.find("d@v1"))
    assert pins(workspace) == {"run": ["the newest candidate of data set d"]}
    remove_version(workspace, catalog.find("d"))

    assert pins(workspace) == {}


def test_what_was_deployed_and_the_way_back_stay(home: Path, train: Train) -> None:
    workspace = Workspace(home)
    runs = []
    for _ in range(3):
        runs.append(train())
        deploy_model(workspace, runs[-1], "ada")
    train()

    assert runs[0] not in kept(home)
    assert is_held_by(home, runs[1], "what is deployed")
    (home / "solution/deployment.json").unlink()
    assert is_held_by(home, runs[1], "the last promotion")
    assert is_held_by(home, runs[2], "the last promotion")


def test_the_current_model_stays_and_it_is_said(home: Path, train: Train) -> None:
    run = train()

    assert is_held_by(home, run, "the current model")


def test_an_open_review_holds_its_runs_until_it_is_closed(
    home: Path, make: Make, run: Callable[..., Any], database: Database
) -> None:
    workspace = Workspace(home)
    (outcome,) = run(home, mode="inference")
    make("patients", random=1)
    run(home, mode="inference")

    assert is_held_by(home, outcome.run_id, "review patients")
    close_review(workspace, database, "patients")
    reopen_review(workspace, database, "patients")
    assert is_held_by(home, outcome.run_id, "review patients")
    close_review(workspace, database, "patients")

    run(home, mode="inference")
    assert outcome.run_id not in kept(home)
