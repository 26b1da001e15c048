"""An id is known as long as anything names it, whatever else was removed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree

import pytest
from tests.loop.traces.test_trace import change_record

from alo.database.audit import Audit
from alo.database.connection import Database
from alo.errors import UsageError
from alo.layout import Workspace
from alo.loop.traces.known import Known, known_ids

GONE = "20200101T000000Z-00000000-gone"
VERSION = "e@v1"

Naming = Callable[["Project", str], None]


class Project:
    """A project, some file of which is to name what is not there."""

    def __init__(self, home: Path, database: Database, candidate: str, inference: str) -> None:
        self.home, self.database = home, database
        self.candidate, self.inference = candidate, inference

    def knows(self, wanted: str) -> str:
        """What kind of thing an id is of; empty: unknown."""
        try:
            return Known(Workspace(self.home), self.database).look_up(wanted)[0]
        except UsageError:
            return ""


@pytest.fixture
def project(home: Path, database: Database, candidate: str, inference: str) -> Project:
    return Project(home, database, candidate, inference)


def answered(project: Project, name: str) -> None:
    change_record(project.home, project.inference, train_id=name)


def trained_on(project: Project, name: str) -> None:
    change_record(project.home, project.candidate, dataset=name)


def origin(project: Project, name: str) -> None:
    path = project.home / "train_artifacts/log/model_origin.json"
    path.write_text(json.dumps({"train_id": name, "files": {}}))


def deployed(project: Project, name: str) -> None:
    with open(project.home / "solution/promotions.jsonl", "a") as file:
        line = {"when": "2026-01-01T00:00:00.000000Z", "who": "ada", "run": name, "from": "",
                "why": "deploy", "comparison": {"dataset": name}}  # fmt: skip
        file.write(json.dumps(line) + "\n")


def compared(project: Project, name: str) -> None:
    path = project.home / "history/train" / project.candidate / "log/comparison.json"
    content = json.loads(path.read_text())
    content["old"]["run"] = name
    path.write_text(json.dumps(content))


def in_rows(project: Project, name: str) -> None:
    path = project.home / "datasets/d/v1/rows.jsonl"
    path.chmod(0o644)
    first, *others = path.read_text().splitlines()
    row = json.dumps({**json.loads(first), "model": name})
    path.write_text("\n".join([row, *others, ""]))


def based_on(project: Project, name: str) -> None:
    path = project.home / "datasets/d/v1/manifest.json"
    path.chmod(0o644)
    path.write_text(json.dumps({**json.loads(path.read_text()), "parent": name}))


def noted_as_made(project: Project, name: str) -> None:
    folder = project.home / "datasets" / name.partition("@")[0]
    folder.mkdir()
    line = {"version": "v1", "id": "0", "contents": []}
    (folder / "tested.jsonl").write_text(json.dumps(line) + "\n")


def reviewed(project: Project, name: str) -> None:
    runs = json.dumps([{"id": name, "first": 0, "records": 1}])
    with project.database.transaction() as rows:
        rows.execute("UPDATE reviews SET runs = ?", (runs,))


def made_by_job(project: Project, name: str) -> None:
    with project.database.transaction() as rows:
        rows.execute(
            "INSERT INTO jobs (id, state, command, pipeline, person, queued, started, ended,"
            " run, made) VALUES ('j', 'success', '[]', '', 'ada', '', '', '', ?, ?)",
            (name, name),
        )


def removed(project: Project, name: str) -> None:
    Audit(project.database).add("ada", "remove-dataset", name)


def spoken_of(project: Project, name: str) -> None:
    Audit(project.database).add("ada", "deploy", "x", after={"comparison": {"run": name}})


@pytest.mark.parametrize(
    "name_it",
    [
        answered, origin, deployed, compared, in_rows, reviewed, made_by_job, removed, spoken_of,
    ],
)  # fmt: skip
def test_a_run_that_is_gone_is_known_by_whatever_names_it(
    project: Project, name_it: Naming
) -> None:
    assert project.knows(GONE) == ""

    name_it(project, GONE)

    assert project.knows(GONE) == "run"


@pytest.mark.parametrize(
    "name_it",
    [trained_on, deployed, based_on, noted_as_made, made_by_job, removed, spoken_of],
)
def test_a_version_that_is_gone_is_known_by_whatever_names_it(
    project: Project, name_it: Naming
) -> None:
    assert project.knows(VERSION) == ""

    name_it(project, VERSION)

    assert project.knows(VERSION) == "dataset"


def test_a_review_that_is_gone_is_known_by_the_audit(project: Project) -> None:
    assert project.knows("gone") == ""

    Audit(project.database).add("ada", "remove-review", "gone")

    assert project.knows("gone") == "review"


def test_a_request_that_history_never_had_is_known_by_who_has_tried_it(project: Project) -> None:
    assert project.knows("req-1") == ""

    Audit(project.database).add("ada", "try", "req-1")

    assert project.knows("req-1") == "request"


def test_a_record_may_name_its_run_by_the_beginning_that_pages_show(project: Project) -> None:
    def looked_up(wanted: str) -> tuple[str, str]:
        return Known(Workspace(project.home), project.database).look_up(wanted)

    run = project.inference
    short = run.rsplit("-", 1)[0]
    assert short != run
    assert looked_up(f"{short}:0") == ("record", f"{run}:0")
    assert project.knows(f"{short}:99999") == ""
    assert project.knows("2:0") == project.knows(":0") == ""  # no beginning that a page shows

    rmtree(project.home / "history/inference" / run)  # a review still has it
    assert looked_up(f"{short}:0") == ("record", f"{run}:0")


def test_what_somebody_has_typed_names_nothing(project: Project) -> None:
    audit = Audit(project.database)
    audit.add("ada", "retrain", "j1", after={"command": ["alo", "retrain", "--dataset", VERSION]})
    audit.add("ada", "deploy", "j2", after={"command": ["alo", "deploy", GONE]})
    audit.add("ada", "user-added", "guest")

    wanted = [VERSION, GONE, "j1", "guest", "d@v1", project.candidate]
    found = known_ids(Workspace(project.home), project.database, wanted)

    assert found == {"d@v1", project.candidate}


def test_letters_that_a_pattern_would_read_are_letters(project: Project) -> None:
    Audit(project.database).add("ada", "deploy", "x", after={"run": f"{GONE}_a%"})

    assert project.knows(f"{GONE}_a%") == "run"
    assert project.knows(f"{GONE}xa%") == ""
    assert project.knows(f"{GONE}_ab") == ""


@pytest.mark.parametrize("word", ["current", "none", "load-external-model"])
def test_words_for_a_model_are_no_runs(project: Project, word: str) -> None:
    deployed(project, word)
    answered(project, word)

    assert project.knows(word) == ""
