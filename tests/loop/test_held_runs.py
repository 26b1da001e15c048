"""A finished review needs its runs no more: it has copied what it was about."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.database.connection import Database
from alo.datasets.diff import reviewed_rows
from alo.history.browse import History
from alo.history.pins import pins
from alo.layout import Workspace
from alo.loop.held_runs import close_review, remove_review, reopen_review
from alo.loop.make_dataset import MakeRequest, make_dataset
from alo.loop.new_review import NewReview
from alo.loop.record_inputs import record_inputs
from alo.loop.traces.trace import trace
from alo.review.deciding import decide
from alo.review.decisions import NewDecision
from alo.review.results.inputs import RecordInput
from alo.review.results.kept_inputs import KeptInputs
from alo.review.reviews import Reviews

from .conftest import Give, Make, Predict

ROWS = "id,x\n" + "".join(f"k{n},{n}\n" for n in reversed(range(20)))


def accept(database: Database, records: list[str], key: str = "") -> None:
    sent = [NewDecision(key=f"{each}{key}", record=each, verdict="accept") for each in records]
    results = decide(database, "patients", sent, person="ada", time="t")
    assert {each.state for each in results} == {"saved"}


@pytest.fixture
def made(make: Make, predict: Predict, give: Give, database: Database) -> NewReview:
    """A review of one run, of which the first ten records are accepted."""
    give({"rows.csv": ROWS})
    run = predict()
    made = make(key="id", random=20)
    accept(database, [f"{run}:{at}" for at in range(10)])
    return made


def dataset(home: Path, database: Database) -> tuple[str, set[str]]:
    """The id of a data set of the review, and the records in it."""
    asked = MakeRequest(name="d", reviews=["patients"], base="none", test_share=0.5)
    version, _ = make_dataset(Workspace(home), database, asked)
    return version.manifest.id, {str(each["record"]) for each in reviewed_rows(version).values()}


def shown(given: RecordInput) -> object:
    """What a page shows of it."""
    columns, values = list(given.columns), list(given.values)
    return columns, values, list(given.files), given.table, given.row, given.why


def test_its_runs_may_go_and_what_was_decided_is_still_there(
    home: Path, database: Database, made: NewReview
) -> None:
    run, workspace = made.review.runs[0].id, Workspace(home)
    before = record_inputs(workspace, made.review, [f"{run}:3"])
    of_run = dataset(home, database)

    review = close_review(workspace, database, "patients")
    History(workspace).remove([run])

    assert review.state == "closed"
    found = record_inputs(workspace, review, [f"{run}:3", f"{run}:15"])
    assert shown(found[f"{run}:3"]) == shown(before[f"{run}:3"])
    assert found[f"{run}:15"].why == f"run {run} is in history no more"
    assert dataset(home, database) == of_run
    nodes = trace(workspace, database, f"{run}:3").nodes
    content = str(nodes["record", f"{run}:3"]["content"])
    assert trace(workspace, database, content[:12]).id == content
    assert nodes["run", run]["state"] == "pruned"
    place = nodes["input", f"input of {run}:3"]
    assert (place["state"], place["file"], place["row"]) == ("present", "data/rows.csv", 16)


def test_it_is_reopened_and_closed_again_without_its_first_run(
    home: Path, database: Database, made: NewReview
) -> None:
    run, workspace = made.review.runs[0].id, Workspace(home)
    close_review(workspace, database, "patients")
    History(workspace).remove([run])

    reopen_review(workspace, database, "patients")
    accept(database, [f"{run}:12"])  # what it was cannot be read any more
    close_review(workspace, database, "patients")

    found = KeptInputs(workspace, made.review).read([f"{run}:{at}" for at in range(20)])
    assert list(found) == [f"{run}:{at}" for at in range(10)]


def test_what_is_decided_after_reopening_is_copied_too(
    home: Path, database: Database, made: NewReview
) -> None:
    run, workspace = made.review.runs[0].id, Workspace(home)
    close_review(workspace, database, "patients")

    reopen_review(workspace, database, "patients")
    assert pins(workspace) == {run: ["review patients"]}
    accept(database, [f"{run}:12"])
    close_review(workspace, database, "patients")

    assert list(KeptInputs(workspace, made.review).read([f"{run}:12"])) == [f"{run}:12"]
    assert pins(workspace) == {}


def test_what_cannot_be_copied_leaves_it_open_and_its_runs_kept(
    home: Path, database: Database, made: NewReview, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(KeptInputs, "write", full)
        with pytest.raises(OSError, match="No space"):
            close_review(Workspace(home), database, "patients")

    assert Reviews(database).get("patients").state == "open"
    assert list(pins(Workspace(home)).values()) == [["review patients"]]
    assert close_review(Workspace(home), database, "patients").state == "closed"


def test_its_copies_go_with_it(home: Path, database: Database, made: NewReview) -> None:
    close_review(Workspace(home), database, "patients")

    remove_review(Workspace(home), database, "patients")

    assert list((home / "studio/reviews").iterdir()) == []


def test_whole_requests_and_pictures_are_copied(
    home: Path, make: Make, predict: Predict, give: Give, database: Database
) -> None:
    workspace = Workspace(home)
    give({"k0": b"zero"})
    run = predict([["k0", "good", 0.5]])
    pictures, requests = make(image="id", random=1), make("whole", unit="request", random=1)
    accept(database, [f"{run}:0"])
    decide(
        database, "whole", [NewDecision(key="k", record=run, verdict="accept")],
        person="ada", time="t",
    )  # fmt: skip
    of_run = dataset(home, database)
    for name in ("patients", "whole"):
        close_review(workspace, database, name)
    History(workspace).remove([run])

    picture = record_inputs(workspace, pictures.review, [f"{run}:0"])[f"{run}:0"].picture
    assert picture is not None
    assert picture.read_bytes() == b"zero"
    files = record_inputs(workspace, requests.review, [run])[run].files
    assert {name: path.read_bytes() for name, path in files.items()} == {"data/k0": b"zero"}
    assert dataset(home, database) == of_run
