"""One decision for many records: one action, undone as one, and nothing unseen is overwritten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.reviewed_project import make_review
from tests.ui.screens.reviews.conftest import PASSWORD, As

from alo.review.rows import Review
from alo.ui.studio import Studio

PATH = "/reviews/patients"
OWN = {"Origin": "http://127.0.0.1:8811"}


@pytest.fixture
def review(home: Path, team: Studio) -> Review:
    return make_review(home, team.database)


def items(client: httpx.Client, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"{PATH}.json{query}").json()["items"]
    return found


def until(client: httpx.Client) -> str:
    page = client.get(PATH).text
    return page.partition('name="until" value="')[2].partition('"')[0]


def bulk(client: httpx.Client, **body: object) -> httpx.Response:
    return client.post(f"{PATH}/bulk", json=body)


def test_all_that_a_filter_finds_is_decided_and_taken_back_as_one(
    team: Studio, ada: httpx.Client
) -> None:
    wanted = {"predicted": "malignant", "q": "FINE"}
    fitting = [each["record"] for each in items(ada, "?predicted=malignant&q=fine")]

    answer = bulk(ada, scope="filter", filter=wanted, verdict="change", label="benign", note="n")

    assert answer.json()["counts"] == {"saved": len(fitting)}
    changed = [each for each in items(ada) if each["state"] == "changed"]
    assert sorted(each["record"] for each in changed) == sorted(fitting)
    said = {(each["label"], each["note"], each["by"]) for each in changed}
    assert said == {("benign", "n", "ada")}
    assert [each.act for each in team.audit.changes()].count("decide") == 1

    ada.post(f"{PATH}/undo", json={})

    assert {each["state"] for each in items(ada)} == {"undecided"}


def test_a_selection_is_decided_and_nothing_else(ada: httpx.Client) -> None:
    chosen = [each["record"] for each in items(ada)[3:14:5]]

    bulk(ada, records=chosen, verdict="skip")

    assert [each["record"] for each in items(ada, "?state=skipped")] == chosen
    assert items(ada, "?source=picked")  # those that were in nobody's queue


def test_what_another_has_decided_since_the_page_was_shown_is_a_conflict(
    ada: httpx.Client, bob: httpx.Client
) -> None:
    first, second, *_ = (each["record"] for each in items(ada))
    bulk(bob, records=[first], verdict="accept")
    seen = int(until(ada))
    bulk(bob, records=[second], verdict="change", label="benign")

    answer = bulk(ada, records=[first, second], verdict="flag", until=seen).json()

    assert answer["counts"] == {"saved": 1, "conflict": 1}
    (refused,) = answer["results"]
    assert (refused["record"], refused["theirs"]["by"]) == (second, "bob")
    by = {each["record"]: (each["state"], each["by"]) for each in items(ada)}
    assert by[first] == ("flagged", "ada")
    assert by[second][1] == "bob"


def test_the_same_request_twice_is_one_action(ada: httpx.Client) -> None:
    chosen = [each["record"] for each in items(ada)[:3]]

    one = bulk(ada, records=chosen, verdict="accept", key="k").json()
    other = bulk(ada, records=chosen, verdict="accept", key="k").json()

    assert (one["counts"], other["counts"]) == ({"saved": 3}, {"unchanged": 3})


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"verdict": "like", "scope": "filter"}, 422, "verdict"),
        ({"verdict": "change", "label": "odd", "scope": "filter"}, 422, "label"),
        ({"verdict": "accept"}, 422, "records"),
        ({"verdict": "accept", "records": ["lost:1"]}, 422, "records"),
        ({"verdict": "accept", "records": [1]}, 422, "records"),
        ({"verdict": "accept", "scope": "filter", "filter": {"odd": "x"}}, 422, "filter"),
        ({"verdict": "accept", "scope": "filter", "filter": []}, 422, "filter"),
        ({"verdict": "accept", "scope": "filter", "until": "x"}, 422, "until"),
        ({"verdict": "accept", "scope": "filter", "filter": {"state": "odd"}}, 422, "state"),
    ],
)
def test_what_makes_no_sense_is_refused(
    ada: httpx.Client, body: dict[str, object], status: int, field: str
) -> None:
    answer = bulk(ada, **body)

    assert answer.status_code == status
    assert answer.json()["fields"][0]["field"] == field
    assert {each["state"] for each in items(ada)} == {"undecided"}


def test_more_than_one_action_may_take_is_refused(
    monkeypatch: pytest.MonkeyPatch, ada: httpx.Client
) -> None:
    monkeypatch.setattr("alo.ui.screens.reviews.bulk.MOST", 15)

    assert bulk(ada, scope="filter", filter={}, verdict="accept").status_code == 413
    assert bulk(ada, records=["x"] * 16, verdict="accept").status_code == 413
    assert bulk(ada, scope="filter", filter={"source": "random"}, verdict="accept").is_success


def test_a_closed_review_takes_no_decision_until_it_is_reopened(
    as_person: As, ada: httpx.Client, team: Studio
) -> None:
    record = items(ada)[0]["record"]
    closed = ada.post(f"{PATH}/close", json={})

    assert closed.json() == {"name": "patients", "state": "closed"}
    assert bulk(ada, records=[record], verdict="accept").status_code == 409
    assert 'data-action="decide-all"' not in ada.get(PATH).text
    assert ada.post(f"{PATH}/reopen", json={}).json()["state"] == "open"
    assert bulk(ada, records=[record], verdict="accept").is_success
    changes = [each for each in team.audit.changes() if each.act == "review"]
    assert [each.after["state"] for each in changes] == ["open", "closed", "open"]


class TestForms:
    """The same without any script: what the page's own form sends."""

    @pytest.fixture
    def page(self, server: httpx.Client, team: Studio, review: Review) -> httpx.Client:
        """A signed-in browser."""
        server.post("/sign-in", data={"name": "ada", "password": PASSWORD}, headers=OWN)
        return server

    def send(self, page: httpx.Client, **fields: str | list[str]) -> httpx.Response:
        form = {"key": "k", "until": until(page), **fields}
        return page.post(f"{PATH}/bulk", data=form, headers=OWN)

    def test_the_labels_that_were_typed_are_stored_and_others_stay(
        self, page: httpx.Client
    ) -> None:
        first, second, third, *_ = items(page)
        bulk_of = {f"label.{first['record']}": first["predicted"]}
        other = "benign" if second["predicted"] == "malignant" else "malignant"
        bulk_of |= {f"label.{second['record']}": other, f"label.{third['record']}": ""}

        answer = self.send(page, cells="1", **bulk_of, **{"filter.source": "random"})

        assert answer.status_code == 303
        assert answer.headers["location"] == f"{PATH}?source=random"
        states = {each["record"]: (each["state"], each["label"]) for each in items(page)}
        assert states[first["record"]] == ("accepted", first["predicted"])
        assert states[second["record"]] == ("changed", other)
        assert states[third["record"]] == ("undecided", None)

        cleared = self.send(page, cells="1", key="l", **{f"label.{first['record']}": ""})

        assert cleared.status_code == 303
        assert items(page)[0]["state"] == "undecided"

    def test_the_button_of_a_row_accepts_it_alone(self, page: httpx.Client) -> None:
        first, second, *_ = (each["record"] for each in items(page))

        self.send(page, accept=first, records=second, verdict="flag")

        assert [each["record"] for each in items(page, "?state=accepted")] == [first]
        assert items(page, "?state=flagged") == []

    def test_a_selection_is_several_fields_of_one_name(self, page: httpx.Client) -> None:
        chosen = [each["record"] for each in items(page)[:3]]

        self.send(page, records=chosen, verdict="flag", scope="selection")

        assert [each["record"] for each in items(page, "?state=flagged")] == chosen

    def test_a_conflict_is_shown_with_what_the_other_has_said(
        self, page: httpx.Client, bob: httpx.Client
    ) -> None:
        record = items(page)[0]["record"]
        before = until(page)
        bulk(bob, records=[record], verdict="change", label="benign")

        answer = self.send(page, until=before, records=record, verdict="flag", scope="selection")

        assert answer.status_code == 409
        assert f'data-record="{record}" data-state="conflict"' in answer.text
        assert "benign" in answer.text

    def test_an_action_is_taken_back_and_the_same_page_is_shown(self, page: httpx.Client) -> None:
        record = items(page)[0]["record"]
        self.send(page, accept=record)
        back = f"{PATH}?state=accepted"

        def undo(back: str) -> str:
            answer = page.post(f"{PATH}/undo", data={"back": back}, headers=OWN)
            assert answer.status_code == 303
            return answer.headers["location"]

        assert undo(back) == back
        assert items(page, "?state=accepted") == []
        assert undo("https://elsewhere.example/reviews/patients").startswith(f"{PATH}/label")
