"""A form that is refused without a script is shown as it was sent, with what is wrong, and why."""

from __future__ import annotations

import html
import re
from pathlib import Path

import httpx
import pytest
from tests.support.reviewed_project import make_review
from tests.ui.conftest import Browse

from alo.ui.studio import Studio

OWN = {"Origin": "http://127.0.0.1:8811"}
REVIEW = "/reviews/patients"
FILTER = {"filter.predicted": "malignant", "filter.limit": "7"}


@pytest.fixture
def page(browse: Browse, studio: Studio, home: Path) -> httpx.Client:
    """A browser without scripts at a studio with a review and a user."""
    make_review(home, studio.database)
    studio.people.add("ada", "viewer", "long enough")
    return browse(studio)


def first_record(page: httpx.Client) -> str:
    return str(page.get(f"{REVIEW}.json").json()["items"][0]["record"])


def wrong_fields(text: str) -> list[str]:
    """The names of the fields that are marked."""
    tags = re.findall(r"<(?:input|select|textarea)[^>]*aria-invalid=\"true\"[^>]*>", text)
    return [re.findall(r'name="([^"]+)"', each)[0] for each in tags]


def said_wrong(text: str) -> list[str]:
    return [html.unescape(each) for each in re.findall(r'class="wrong" role="alert">([^<]+)', text)]


NEW = {
    "name": "patients",
    "random": "12",
    "second_look": "0.5",
    "pick": "run-a:0\nrun-b:1",
    "review.unit": "row",
    "review.labels": "good\nbad",
}


@pytest.mark.parametrize(
    ("path", "sent", "field", "kept"),
    [
        ("/reviews", NEW, "name", ['value="0.5"', "run-a:0\nrun-b:1</t", "good\nbad</t"]),
        ("/reviews", {**NEW, "name": "n", "random": "x"}, "random", ['value="n"', 'value="x"']),
        ("/reviews", {**NEW, "name": "n", "review.probabilities": "x"}, "review.probabilities", []),
        ("/datasets", {"name": "d", "reviews": "patients", "base": "no", "note": "why"}, "base",
         ['value="d"', 'value="patients" checked', 'value="why"']),
        ("/models/retrain", {"dataset": "no", "against": "r1", "args.train.x": "8"}, "dataset",
         ["<option>no</option>", 'value="r1"', 'value="8"']),
        ("/users", {"name": "bob", "role": "odd", "password": "long enough"}, "role",
         ['value="bob"']),
        ("/users/ada/password", {"password": "short"}, "password", []),
        ("/runs", {"pipeline": "train", "args.train.x": "0", "data": "here"}, "args.train.x",
         ['value="here"']),
        (f"{REVIEW}/labels", {"action": "add", "name": "new", "key": "a", "colour": "#000000"},
         "key", ['value="new"', 'value="#000000"']),
        (f"{REVIEW}/labels", {"action": "add", "name": "benign"}, "name", []),
        (f"{REVIEW}/labels", {"action": "rename", "name": "malignant", "to": "benign"}, "to",
         ['value="malignant" selected']),
        (f"{REVIEW}/labels", {"action": "merge", "name": "benign", "into": "benign"}, "into", []),
        (f"{REVIEW}/bulk", {"scope": "filter", "verdict": "change", "label": "no", "note": "why",
         **FILTER}, "label", ['value="why"', 'value="no"', 'value="change" selected']),
    ],
)  # fmt: skip
def test_a_form_is_shown_as_it_was_sent_with_what_is_wrong_at_its_field(
    page: httpx.Client, path: str, sent: dict[str, str], field: str, kept: list[str]
) -> None:
    for language in ("en", "ko"):
        answer = page.post(path, data=sent, headers={**OWN, "Accept-Language": language})

        assert 400 <= answer.status_code < 500
        assert wrong_fields(answer.text) == [field]
        assert len(said_wrong(answer.text)) >= 1
        assert re.search("[가-힣]", said_wrong(answer.text)[0]) or language == "en"
        for each in kept:
            assert each in answer.text, each
        assert sent.get("password", "-") not in re.findall('value="([^"]*)"', answer.text)


def test_it_is_the_page_that_the_form_was_on(page: httpx.Client) -> None:
    sent = {"scope": "selection", "verdict": "skip", **FILTER}

    text = page.post(f"{REVIEW}/bulk", data=sent, headers=OWN).text

    assert "no record is selected" in text
    assert re.search('name="predicted" [^>]*value="malignant"', text)
    assert f'href="{REVIEW}?predicted=malignant&amp;limit=7&amp;lang=ko"' in text


def test_what_was_typed_into_cells_is_there_still_and_replaces_what_another_has_said(
    page: httpx.Client, studio: Studio
) -> None:
    record = first_record(page)
    table = page.get(REVIEW).text
    until = re.findall(r'name="until" value="(\d+)"', table)[0]
    studio.people.add("bob", "reviewer", "long enough")
    token = studio.people.add_token("of-bob", "reviewer", "bob")
    said = {"records": [record], "verdict": "change", "label": "benign"}
    bob = {"Authorization": f"Bearer {token}"}
    assert page.post(f"{REVIEW}/bulk", json=said, headers=bob).status_code == 200
    cell = f"label.{record}"
    answer = page.post(
        f"{REVIEW}/bulk", data={"cells": "1", "until": until, cell: "malignant"}, headers=OWN
    )
    assert answer.status_code == 409
    form = dict(re.findall(r'name="([^"]+)"[^>]* value="([^"]*)"', answer.text))
    assert form[cell] == "malignant"

    sent = {"cells": "1", "key": form["key"], "until": form["until"], cell: form[cell]}
    assert page.post(f"{REVIEW}/bulk", data=sent, headers=OWN).status_code == 303

    (item,) = [e for e in page.get(f"{REVIEW}.json").json()["items"] if e["record"] == record]
    assert (item["label"], item["by"]) == ("malignant", "local")


def test_a_note_is_kept_where_a_decision_is_refused(page: httpx.Client) -> None:
    record = first_record(page)
    sent = {"key": "k", "record": record, "label": "lost", "note": "as I saw it"}

    answer = page.post(f"{REVIEW}/decisions", data=sent, headers=OWN)

    assert answer.status_code == 422
    assert "no label is called &#39;lost&#39;" in answer.text
    assert ">as I saw it</textarea>" in answer.text
    assert f'<input type="hidden" name="record" value="{record}">' in answer.text


def test_a_script_is_told_in_json_and_what_is_not_there_is_a_404(page: httpx.Client) -> None:
    refused = page.post("/reviews", json=NEW, headers=OWN)
    assert (refused.status_code, refused.json()["fields"][0]["field"]) == (422, "name")
    kept = page.post("/reviews.json", data=NEW, headers={**OWN, "Accept-Language": "ko"})
    assert kept.json()["fields"][0]["what"] == "'patients' 리뷰가 이미 있습니다"
    gone = page.post("/reviews/lost/labels", data={"action": "add", "name": "a"}, headers=OWN)
    assert gone.status_code == 404


def test_why_a_model_cannot_be_deployed_is_said_on_its_page(
    page: httpx.Client, runs: dict[str, str]
) -> None:
    sent = {"run": runs["train"], "reason": "a demo"}  # it has made no model

    answer = page.post("/deploy", data=sent, headers=OWN)

    assert answer.status_code == 409
    assert f'data-run="{runs["train"]}"' in answer.text
    assert "data-refusal" in answer.text
