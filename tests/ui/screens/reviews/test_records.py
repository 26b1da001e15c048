"""The table of a review: its records with what the model was given, filtered, page by page."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.reviewed_project import REMARKS, make_review, write_run
from tests.ui.screens.reviews.conftest import PASSWORD, As

from alo.history.entries.not_kept import note_not_kept
from alo.layout import Workspace
from alo.loop.new_review import ReviewRequest, new_review
from alo.review.rows import Review
from alo.review.settings import ReviewSettings
from alo.ui.accuracies import AT_ONCE
from alo.ui.studio import Studio

PATH = "/reviews/patients"


@pytest.fixture
def review(home: Path, team: Studio) -> Review:
    """Sixteen records of two runs, eleven of them in the queue."""
    return make_review(home, team.database)


def of(client: httpx.Client, query: str = "") -> dict[str, Any]:
    answer = client.get(f"{PATH}.json{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def in_korean(browser: httpx.Client, path: str) -> str:
    """A page as a browser of ada shows it: scripts have English."""
    who = {"name": "ada", "password": PASSWORD}
    browser.post("/sign-in", data=who, headers={"Origin": "http://127.0.0.1:8811"})
    return browser.get(path, headers={"Accept-Language": "ko"}).text


def decide(client: httpx.Client, record: str, verdict: str, label: str = "") -> None:
    body = {"records": [record], "verdict": verdict, "label": label}
    assert client.post(f"{PATH}/bulk", json=body).json()["counts"] == {"saved": 1}


def test_records_have_the_columns_of_their_input(ada: httpx.Client) -> None:
    found = of(ada)

    assert found["columns"] == ["patient", "age", "remark"]
    assert found["items"][0]["input"]["patient"].startswith("P")
    assert {each["source"] for each in found["items"][:11]} == {"random", "uncertain"}
    assert {each["source"] for each in found["items"][11:]} == {None}
    assert (found["total"], found["population"], found["state"]) == (16, 16, "open")
    assert found["counts"]["undecided"] == 11


def test_pages_follow_one_another(ada: httpx.Client) -> None:
    whole = [each["record"] for each in of(ada)["items"]]
    pages: list[str] = []
    query: str | None = "?limit=7"
    while query:
        page = of(ada, query)
        pages += [each["record"] for each in page["items"]]
        query = page["next"] and "?" + page["next"].partition("?")[2]

    assert pages == whole


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("?state=accepted", lambda each: each["state"] == "accepted"),
        ("?source=uncertain", lambda each: each["source"] == "uncertain"),
        ("?source=none", lambda each: each["source"] is None),
        ("?predicted=malignant", lambda each: each["predicted"] == "malignant"),
        ("?label=benign", lambda each: each["label"] == "benign"),
        ("?q=P000003", lambda each: each["input"]["patient"] == "P000003"),
        ("?q=혹", lambda each: "혹" in each["input"]["remark"]),
        ("?q=FINE&source=random", lambda each: False),
    ],
)
def test_filters_find_what_fits(ada: httpx.Client, query: str, fits: Any) -> None:
    items = of(ada)["items"]
    decide(ada, items[0]["record"], "accept")
    decide(ada, items[1]["record"], "change", "benign")
    everything = of(ada)["items"]
    if query.startswith("?q=FINE"):
        fits = lambda each: each["input"]["remark"] == "fine" and each["source"] == "random"  # noqa: E731

    found = of(ada, query)

    assert found["items"] == [each for each in everything if fits(each)]
    assert found["items"]
    assert found["total"] == len(found["items"])
    page = ada.get(f"{PATH}{query}").text
    assert page.count('data-action="remove-filter"') == query.count("=")


@pytest.mark.parametrize("query", ["?state=lost", "?source=lost", "?page=x", "?odd=1", "?limit=0"])
def test_values_that_cannot_be_are_refused(ada: httpx.Client, query: str) -> None:
    assert ada.get(f"{PATH}{query}").status_code == 422


def test_a_review_that_is_not_there_is_404(ada: httpx.Client) -> None:
    for path in ("", "/accuracy", "/export"):
        assert ada.get(f"/reviews/others{path}").status_code == 404


def test_the_csv_is_the_whole_filtered_list(ada: httpx.Client) -> None:
    rows = list(csv.DictReader(ada.get(f"{PATH}.csv?limit=3&source=random").text.splitlines()))
    disarmed = ada.get(f"{PATH}.csv?for=spreadsheet").text

    assert [row["record"] for row in rows] == [
        each["record"] for each in of(ada, "?source=random")["items"]
    ]
    assert rows[0]["patient"].startswith("P")
    assert "'=1+1" in disarmed


def test_scripts_in_cells_labels_and_notes_are_text(ada: httpx.Client) -> None:
    script = "<script>alert(2)</script>"
    ada.post(f"{PATH}/labels", json={"action": "add", "name": script})
    record = of(ada)["items"][0]["record"]
    body = {"records": [record], "verdict": "change", "label": script, "note": "<img src=x>"}
    ada.post(f"{PATH}/bulk", json=body)

    page = ada.get(PATH).text

    assert "<script>alert" not in page
    assert "<img src=x>" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 4
    assert "&lt;script&gt;alert(2)" in page


def test_who_looks_second_sees_neither_the_first_label_nor_finds_it_by_a_filter(
    home: Path, team: Studio, as_person: As
) -> None:
    make_review(home, team.database, "twice", second_look=1.0, random=8, uncertain=0)
    ada, bob = as_person("ada"), as_person("bob")
    record = ada.get("/reviews/twice.json").json()["items"][0]["record"]
    body = {"records": [record], "verdict": "change", "label": "benign"}
    ada.post("/reviews/twice/bulk", json=body)

    def found(who: httpx.Client, query: str) -> list[str]:
        items = who.get(f"/reviews/twice.json?{query}").json()["items"]
        return [each["record"] for each in items]

    assert found(ada, "label=benign") == [record]
    assert found(bob, "label=benign") == []
    assert record in found(bob, "state=undecided&source=random")
    assert ada.get("/reviews/twice.csv?label=benign").text.count(record) == 1
    assert record not in bob.get("/reviews/twice.csv?label=benign").text


def test_a_viewer_looks_and_has_nothing_to_decide_with(as_person: As, review: Review) -> None:
    vic, ada = as_person("vic"), as_person("ada")

    assert 'data-action="decide-all"' in ada.get(PATH).text
    page = vic.get(PATH).text
    for action in ("decide-all", "accept", "close", "add-label", "undo", "make-dataset"):
        assert f'data-action="{action}"' not in page
    for path in ("bulk", "labels", "close", "reopen"):
        assert vic.post(f"{PATH}/{path}", json={}).status_code == 403


def test_a_reviewer_finds_the_way_to_a_data_set_and_a_viewer_to_the_trace(
    as_person: As, review: Review
) -> None:
    record = review.record_id(0)

    page, looked = as_person("ada").get(PATH).text, as_person("vic").get(PATH).text

    assert 'href="/datasets/new?review=patients"' in page
    assert f"{PATH}/label?record=" in page
    assert f"{PATH}/label?record=" not in looked
    assert f"/trace/{record.replace(':', '%3A')}" in looked


@pytest.mark.parametrize("gone", ["output/output.csv", "input", ""])
def test_what_is_gone_of_a_run_is_said_and_the_rest_is_shown(
    home: Path, ada: httpx.Client, review: Review, gone: str
) -> None:
    run = review.runs[0].id
    entry = Workspace(home).history / "inference" / run
    shutil.rmtree(entry / gone) if (entry / gone).is_dir() else (entry / gone).unlink()

    found = of(ada)

    lost = [each for each in found["items"] if each["run"] == run]
    kept = [each for each in found["items"] if each["run"] != run]
    assert len(lost) == len(kept) == 8
    assert all(each["input"] and not each["missing"] for each in kept)
    if gone != "input":  # without it, the output has what is shown
        assert all(each["missing"] and each["predicted"] for each in lost)
        assert 'data-missing="8"' in ada.get(PATH).text


def test_a_large_population_is_estimated_after_the_page(
    monkeypatch: pytest.MonkeyPatch, ada: httpx.Client
) -> None:
    monkeypatch.setattr("alo.ui.accuracies.AT_ONCE", 15)
    assert AT_ONCE > 15

    assert of(ada)["accuracy"] is None
    page = ada.get(PATH).text
    assert f'hx-get="{PATH}/accuracy"' in page
    assert f'href="{PATH}/accuracy"' in page
    assert ada.get(f"{PATH}/accuracy.json").json()["population"] == 16
    assert of(ada)["accuracy"]["population"] == 16  # it is known from now on
    assert "hx-get" not in ada.get(PATH).text


def test_a_record_has_one_shape_on_every_page(
    ada: httpx.Client, bob: httpx.Client, home: Path, team: Studio
) -> None:
    make_review(home, team.database, "twice", second_look=1.0, runs=1)
    (record, *_) = (each["record"] for each in ada.get("/reviews/twice.json").json()["items"])
    for who, label in ((ada, "benign"), (bob, "malignant")):
        sent = {"key": f"k-{label}", "record": record, "verdict": "change", "label": label}
        reported = who.post("/reviews/twice/decisions", json={"decisions": [sent]}).json()
        assert reported["results"][0]["state"] == "saved", reported

    pages = [
        ada.get(f"/reviews/twice{page}").json()["items"][0]
        for page in (".json", f"/label.json?record={record}", "/conflicts.json")
    ]

    table, label, conflict = pages
    assert table == label == {key: conflict[key] for key in table}
    assert conflict.keys() - table.keys() == {"answers", "may_settle"}
    row = int(record.rpartition(":")[2])
    stored = ada.get("/reviews/twice/items.json").json()["items"][0]
    assert stored == {key: table[key] for key in stored}
    assert {key: table[key] for key in table.keys() - stored.keys()} == {
        "input": {"patient": f"P0{row:05}", "age": f"{20 + row}", "remark": REMARKS[row % 4]},
        "picture": None, "files": [], "table": "patients/patients.csv", "row": row,
        "missing": "",
    }  # fmt: skip


def test_it_is_said_how_many_inferences_history_did_not_have(
    home: Path, team: Studio, ada: httpx.Client, server: httpx.Client
) -> None:
    note_not_kept(Workspace(home).history, "inference", 7)
    write_run(home, 5)
    settings = ReviewSettings(key="patient")
    asked = ReviewRequest(name="all", person="ada", time="now", settings=settings, random=1)
    new_review(team.workspace, team.database, asked)

    found = ada.get("/reviews/all.json").json()

    assert found["not_kept"]["count"] == 7
    for path in ("/reviews/all", "/reviews/all/accuracy"):
        assert 'data-not-kept="7">7 inferences are not in history' in ada.get(path).text
    assert of(ada)["not_kept"] == {"count": 0, "since": ""}
    assert "data-not-kept" not in ada.get(PATH).text
    korean = in_korean(server, "/reviews/all")
    assert 'data-not-kept="7">이력에 없는 추론이 7건' in korean


def test_who_has_decided_is_called_so_in_both_languages(
    ada: httpx.Client, server: httpx.Client
) -> None:
    assert '<th scope="col">decided by</th>' in ada.get(PATH).text
    korean = in_korean(server, PATH)
    assert '<th scope="col">판정한 사람</th>' in korean
    assert "실행한 사람" not in korean


def test_names_that_are_typed_find_what_only_looks_so(team: Studio, ada: httpx.Client) -> None:
    typed, of_a_mac = "\uc591", "\u110b\u1163\u11bc"  # both are 양
    team.reviews.change_labels("patients", lambda labels: labels.rename("benign", of_a_mac))
    record = of(ada)["items"][0]["record"]

    decide(ada, record, "change", typed)

    assert of(ada)["items"][0]["label"] == of_a_mac
    assert [each["record"] for each in of(ada, f"?label={typed}")["items"]] == [record]
    wrong = {"action": "add", "name": typed}
    answer = ada.post(f"{PATH}/labels", json=wrong)
    assert answer.status_code == 422
    assert "a label that looks the same" in answer.json()["error"]["what"]
