"""A review is asked for by a form or a script, checked as the plan would be, and made as a job."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.reviewed_project import make_review, write_run
from tests.support.waiting import wait_until
from tests.ui.screens.reviews.conftest import PASSWORD, As

from alo.events.types import Event
from alo.layout import find_plan
from alo.review.rows import Review
from alo.ui.studio import Studio

OWN = {"Origin": "http://127.0.0.1:8811"}
COLUMNS = {"key": "patient", "probabilities": {"malignant": "probability"}, "label": "diagnosis"}


@pytest.fixture
def ada(as_person: As) -> httpx.Client:
    """A reviewer, where there is no review yet."""
    return as_person("ada")


@pytest.fixture
def run_id(home: Path) -> str:
    return write_run(home)


def ask(client: httpx.Client, **body: object) -> httpx.Response:
    return client.post("/reviews", json={"name": "patients", **body})


def made(studio: Studio, listener: list[Event], answer: httpx.Response) -> Review:
    """The review, once its job has ended well."""
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["id"]
    with studio.jobs.dispatching(listener.append):
        wait_until(lambda: not studio.jobs.find(job_id).is_open)
    job = studio.jobs.find(job_id)
    output = studio.jobs.folder(job).output.read_text()
    assert (job.state, job.made) == ("success", "patients"), output
    return studio.reviews.get(job.made)


def test_it_is_made_as_a_job_on_behalf_of_who_asked(
    ada: httpx.Client, team: Studio, listener: list[Event], run_id: str
) -> None:
    answer = ask(
        ada,
        random=4,
        uncertain=2,
        seed=7,
        second_look=0.5,
        review={
            **COLUMNS,
            "labels": ["unclear", {"name": "two words", "key": "w", "colour": "#1f5f9f"}],
            "slices": ["age"],
            "gate": {"min_rows": 5},
        },
    )

    review = made(team, listener, answer)

    assert review.person == "ada"
    assert (review.asked["seed"], review.asked["second_look"]) == (7, 0.5)
    assert review.settings.probabilities == COLUMNS["probabilities"]
    assert [each.name for each in review.labels.shown][:2] == ["unclear", "two words"]
    assert (review.labels.shown[1].key, review.labels.shown[1].colour) == ("w", "#1f5f9f")
    assert review.settings.gate == {"min_rows": 5}
    assert [each.id for each in review.runs] == [run_id]
    assert 'data-review="patients"' in ada.get(f"/jobs/{answer.json()['id']}").text
    changes = [(each.act, each.by) for each in team.audit.changes()]
    assert changes == [("review", "ada"), ("make-review", "ada")]  # when it was made, and asked for


def test_the_same_request_twice_is_one_job(ada: httpx.Client, team: Studio, run_id: str) -> None:
    answers = [ask(ada, key="k", review=COLUMNS).json()["id"] for _ in range(2)]

    assert len(set(answers)) == 1
    assert team.jobs.count == 1


def test_what_the_plan_says_need_not_be_given(
    home: Path, ada: httpx.Client, team: Studio, listener: list[Event], run_id: str
) -> None:
    path = find_plan(home)
    path.write_text(json.dumps({**json.loads(path.read_text()), "review": COLUMNS}))

    page = ada.get("/reviews").text
    review = made(team, listener, ask(ada, runs=[run_id]))

    assert 'placeholder="malignant=probability"' in page
    assert review.settings.key == "patient"


@pytest.mark.parametrize(
    ("body", "field", "what"),
    [
        ({"name": "a/b"}, "name", "called"),
        ({"name": "--json"}, "name", "called"),
        ({"since": "soon"}, "since", "soon"),
        ({"filter": ["odd"]}, "filter", "odd"),
        ({"filter": ["--odd"]}, "filter", "begin with -"),
        ({"random": "many"}, "random", "whole number"),
        ({"random": -1}, "random", "whole number"),
        ({"second_look": 2}, "second_look", "share"),
        ({"second_look": 10**400}, "second_look", "share"),
        ({"runs": ["lost"]}, "runs", "lost"),
        ({"runs": 7}, "runs", "list"),
        ({"review": []}, "review", "object"),
        ({"review": {"unit": "cell"}}, "review.unit", "row, request"),
        ({"review": {"gates": {}, "odd": 1}}, "review.odd", "no such key"),
        ({"review": {"gate": {"min_rows": 0.5}}}, "review.gate", "min_rows: "),
        ({"review": {"gate": {"odd": 1}}}, "review.gate", "odd: unknown key"),
        ({"review": {"labels": [{"name": "a", "key": "s"}]}}, "review.labels", "[0].key: the key"),
        ({"review": {"labels": [{"name": "-a"}]}}, "review.labels", "-"),
        ({"review": {"labels": [{"key": "b"}]}}, "review.labels", "text"),
        ({"review": {"label_keys": {"a": "s"}}}, "review.label_keys", "the key 's'"),
        ({"review": {"label_keys": {"a": "b", "c": "b"}}}, "review.label_keys", "that of 'a'"),
        ({"review": {"label_keys": ["a"]}}, "review.label_keys", "an object of texts"),
        ({"review": {"label_colours": {"a": "red"}}}, "review.label_colours", "no colour"),
        ({"review": {"slices": ["sites"]}}, "review.slices", "no input has a column 'sites'"),
        ({"review": {"prediction": "lost"}}, "review.prediction", "patient, prediction"),
        ({"review": {"probabilities": {"a": "lost"}}}, "review.probabilities", "lost"),
        ({"review": {"probabilities": {"a=b": "p"}}}, "review.probabilities", "="),
        ({"review": {"labels": ["-x"]}}, "review.labels", "-"),
        ({"review": {"labels": ["a", "a"]}}, "review.labels", "more than once"),
        ({"review": {"certainty": "p", "probabilities": {"a": "p"}}}, "review.certainty", "keep"),
        ({"review": {"truth": {"layout": "folders"}}}, "review.truth", "pictures"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    ada: httpx.Client, team: Studio, run_id: str, body: dict[str, Any], field: str, what: str
) -> None:
    answer = ask(ada, **body)

    assert answer.status_code == 422
    said = [each["what"] for each in answer.json()["fields"] if each["field"] == field]
    assert any(what in each for each in said), answer.json()
    assert team.jobs.count == 0


def test_a_label_of_measured_numbers_is_refused_at_its_field(
    home: Path, ada: httpx.Client, team: Studio
) -> None:
    write_run(home, rows=100)

    answer = ask(ada, review={**COLUMNS, "label": "probability"})

    (said,) = answer.json()["fields"]
    assert (answer.status_code, said["field"]) == (422, "review.label")
    assert "holds measured numbers" in said["what"]


def test_a_name_that_is_taken_and_a_project_without_results_are_refused(
    home: Path, ada: httpx.Client, team: Studio
) -> None:
    without = ask(ada)
    make_review(home, team.database)
    taken = ask(ada)

    assert "no inference run" in without.json()["fields"][0]["what"]
    assert "there is a review 'patients'" in taken.json()["fields"][0]["what"]


def test_the_form_says_the_same_as_a_script(
    server: httpx.Client, team: Studio, listener: list[Event], run_id: str
) -> None:
    server.post("/sign-in", data={"name": "ada", "password": PASSWORD}, headers=OWN)
    form = {
        "name": "patients",
        "random": "4",
        "uncertain": "",
        "runs": f"{run_id}\r\n\r\n",
        "review.key": "patient",
        "review.unit": "",
        "review.probabilities": "malignant=probability\r\n",
        "review.labels": "benign\r\nunclear",
        "review.label_keys": "benign=b\r\na=b=q",
        "review.label_colours": "benign=#1f5f9f",
        "review.gate": "min_rows=5\r\nmax_loss=0.3",
    }

    answer = server.post("/reviews", data=form, headers=OWN)

    assert answer.status_code == 303
    job = server.get(answer.headers["location"] + ".json").json()
    words = ["alo", "review", "new", "patients", "--json", "--runs", run_id, "--random=4"]
    assert job["command"][:8] == words
    assert job["command"][8:] == [
        "--key=patient", "--probability=malignant=probability", "--labels", "benign", "unclear",
        "--label-key=benign=b", "--label-key=a=b=q", "--label-colour=benign=#1f5f9f",
        "--gate=min_rows=5", "--gate=max_loss=0.3",
    ]  # fmt: skip
    assert job["by"] == "ada"


def test_a_viewer_makes_none(as_person: As, run_id: str) -> None:
    vic = as_person("vic")

    assert ask(vic).status_code == 403
    assert 'data-action="make-review"' not in vic.get("/reviews").text


def test_it_waits_for_no_run(
    ada: httpx.Client, team: Studio, listener: list[Event], run_id: str, tmp_path: Path
) -> None:
    team.jobs.add(["run", "--mode", "train"], "train", "olga")
    with team.database.transaction() as rows:  # as of another studio that runs it
        rows.execute("UPDATE jobs SET state = 'running'")
    folder = team.jobs.folder(team.jobs.open()[0])
    folder.make()
    from alo.claims import take

    claim = take(folder.lock, "a run that takes long")
    assert claim is not None
    try:
        made(team, listener, ask(ada, review=COLUMNS))
        assert [job.state for job in team.jobs.open()] == ["running"]
    finally:
        claim.release()
    assert os.listdir(folder.path)
