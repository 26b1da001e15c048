"""Candidates that are trained in the studio: queued once, held or passed, deployed by operators."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from tests.support.waiting import wait_until
from tests.ui.conftest import Browse, MakeStudio
from tests.ui.screens.loop.conftest import Ended

from alo.history.deployment import read_deployment
from alo.history.promotions import promotions
from alo.layout import Workspace
from alo.ui.studio import Studio

OWN = {"Origin": "http://127.0.0.1:8811"}


@pytest.fixture(autouse=True)
def _lax(home: Path) -> None:
    """A gate that this project can pass."""
    path = home / "solution/experimental_plan.yaml"
    plan = json.loads(path.read_text())
    plan["review"] = {"gate": {"min_rows": 5, "max_loss": 0.3}}
    path.write_text(json.dumps(plan))


def test_a_candidate_is_trained_by_a_job_once_and_linked(
    client: httpx.Client, ended: Ended, dataset: str, studio: Studio
) -> None:
    body = {"dataset": "d", "key": "k"}

    answers = [client.post("/models/retrain", json=body, headers=OWN) for _ in range(2)]

    assert [each.status_code for each in answers] == [202, 202]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    job = ended(answers[0].json()["id"])
    assert (job.state, job.exit_status, job.is_held) == ("success", 0, False)
    assert studio.history.look_up(job.run).dataset == dataset
    assert f"/models/{job.run}" in client.get(f"/jobs/{job.id}").text
    assert "training on d@v1" in " ".join(client.get(f"/jobs/{job.id}.json").json()["output"])


def test_a_held_candidate_is_no_error(client: httpx.Client, ended: Ended, dataset: str) -> None:
    body = {"dataset": dataset, "args": {"train": {"how": "worst"}}, "deploy": True}

    job = ended(client.post("/models/retrain", json=body, headers=OWN).json()["id"])

    assert (job.state, job.exit_status, job.is_held) == ("success", 3, True)
    page = client.get(f"/jobs/{job.id}").text
    assert 'class="state" data-state="held"' in page
    assert client.get(f"/jobs/{job.id}.json").json()["held"] is True


def test_a_held_candidate_is_deployed_by_force_with_a_reason_in_the_name_of_who_has_asked(
    client: httpx.Client, ended: Ended, dataset: str, home: Path, studio: Studio
) -> None:
    body = {"dataset": dataset, "set": ["train.how=worst"], "deploy": True, "force": True}
    assert client.post("/models/retrain", json=body, headers=OWN).status_code == 422

    asked = client.post("/models/retrain", json={**body, "reason": "a demo"}, headers=OWN)

    job = ended(asked.json()["id"])
    assert read_deployment(Workspace(home)).run == job.run
    (line,) = promotions(Workspace(home))
    assert (line.who, line.why) == ("local", "forced: a demo")
    queued = next(each for each in studio.audit.changes() if each.act == "retrain")
    assert "--reason=a demo" in str(queued.after)


def test_a_candidate_that_fails_is_an_error(
    client: httpx.Client, ended: Ended, dataset: str
) -> None:
    body = {"dataset": dataset, "args": {"train": {"how": "fail"}}}

    job = ended(client.post("/models/retrain", json=body, headers=OWN).json()["id"])

    assert (job.state, job.exit_status) == ("error", 1)
    assert "it cannot learn" in " ".join(client.get(f"/jobs/{job.id}.json").json()["output"])


def test_one_that_hangs_is_cancelled_and_leaves_nothing(
    client: httpx.Client,
    ended: Ended,
    dataset: str,
    home: Path,
    studio: Studio,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mark = tmp_path / "pid"
    monkeypatch.setenv("RETRAIN_PID", str(mark))
    entries = sorted((home / "history/train").iterdir())
    body = {"dataset": dataset, "args": {"train": {"how": "hang"}}}
    job = client.post("/models/retrain", json=body, headers=OWN).json()["id"]
    wait_until(lambda: studio.jobs.look() or (mark.is_file() and mark.read_text()))

    assert client.post(f"/jobs/{job}/cancel", json={}, headers=OWN).status_code == 202

    over = ended(job)
    assert (over.state, over.exit_status, over.run) == ("cancelled", 130, "")
    assert sorted((home / "history/train").iterdir()) == entries
    assert not list((home / ".alo").glob("rerun-*"))


def test_only_an_operator_deploys(make_studio: MakeStudio, browse: Browse, dataset: str) -> None:
    studio = make_studio()
    token = studio.people.add_token("script", "reviewer")
    client = browse(studio)
    client.headers["Authorization"] = f"Bearer {token}"
    base = {"dataset": dataset}

    for more in (
        {"deploy": True},
        {"deploy": True, "force": True, "reason": "x"},
        {"set": ["a.b=1"]},
    ):
        assert client.post("/models/retrain", json={**base, **more}).status_code == 403
    assert client.post("/models/retrain", json=base).status_code == 202
    viewer = studio.people.add_token("looks", "viewer")
    client.headers["Authorization"] = f"Bearer {viewer}"
    assert client.post("/models/retrain", json=base).status_code == 403
    assert client.post("/datasets", json={"name": "d", "review": "r"}).status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"dataset": "none"}, "dataset"),
        ({"dataset": "d@v7"}, "dataset"),
        ({"dataset": "d", "against": "2020"}, "against"),
        ({"dataset": "d", "args": {"train": {"odd": 1}}}, "args.train.odd"),
        ({"dataset": "d", "deploy": "perhaps"}, "deploy"),
        ({"dataset": "d", "set": [1]}, "set"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    client: httpx.Client, studio: Studio, dataset: str, body: dict[str, object], field: str
) -> None:
    answer = client.post("/models/retrain", json=body, headers=OWN)

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["fields"]] == [field]
    assert studio.jobs.count == 0


def test_the_form_shows_what_it_will_do(client: httpx.Client, dataset: str) -> None:
    page = client.get(f"/models/retrain?dataset={dataset}").text

    assert 'data-screen="retrain"' in page
    assert "alo retrain --dataset d@v1" in page
    assert 'name="args.train.how"' in page
