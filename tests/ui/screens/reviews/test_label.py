"""The label screen as it is sent: which record, what is known of it, and how to decide."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.conftest import write_asset
from tests.review.conftest import create_review
from tests.ui.screens.reviews.conftest import As

from alo.layout import find_plan
from alo.loop.new_review import ReviewRequest, new_review
from alo.review.reviews import Reviews
from alo.review.rows import Review
from alo.review.settings import ReviewSettings
from alo.ui.studio import Studio

PATH = "/reviews/patients/label"


def ids(studio: Studio, name: str = "patients") -> list[str]:
    reviews = Reviews(studio.database)
    return [each.id for each in reviews.items(reviews.get(name), queue_only=True)]


def shown(client: httpx.Client, query: str = "") -> list[str]:
    return [each["record"] for each in client.get(f"{PATH}.json{query}").json()["items"]]


def decide(client: httpx.Client, record: str, **more: object) -> None:
    sent = {"key": record, "record": record, "verdict": "accept", **more}
    assert client.post("/reviews/patients/decisions", json={"decisions": [sent]}).is_success


def test_it_begins_where_something_is_undecided(team: Studio, ada: httpx.Client) -> None:
    queue = ids(team)
    assert shown(ada) == queue
    decide(ada, queue[0])

    found = ada.get(f"{PATH}.json").json()

    assert [each["record"] for each in found["items"]] == queue[1:]
    assert (found["previous"], found["next"]) == (queue[0], None)
    assert found["progress"] == {"decided": 1, "total": 4}
    assert [each["name"] for each in found["labels"]] == ["good", "bad"]


def test_the_url_says_which_record_and_which_filter(team: Studio, ada: httpx.Client) -> None:
    queue = ids(team)
    decide(ada, queue[2], verdict="flag")

    assert shown(ada, f"?record={queue[1]}")[0] == queue[1]
    assert shown(ada, f"?after={queue[1]}")[0] == queue[3]
    assert shown(ada, "?state=flagged") == [queue[2]]
    assert shown(ada, "?source=uncertain") == []
    assert ada.get(f"{PATH}.json?record=run-z:1").status_code == 404
    for query in ("state=x", "source=none", "view=x", "recrod=x"):
        assert ada.get(f"{PATH}.json?{query}").status_code == 422


def test_it_says_why_a_record_is_shown_and_how_sure_the_model_is(
    team: Studio, ada: httpx.Client
) -> None:
    create_review(team.database, "unsure", random=0, uncertain=1)

    text = ada.get("/reviews/unsure/label").text

    assert "the model is unsure" in text
    assert 'data-source="uncertain"' in text
    assert "<meter" in text


def test_what_was_said_last_is_beside_it_and_nothing_of_it_is_run(
    team: Studio, ada: httpx.Client
) -> None:
    queue = ids(team)
    Reviews(team.database).change_labels("patients", lambda each: each.add("<script>x</script>"))
    note = "</article><img src=x onerror=alert(1)>"
    decide(ada, queue[0], verdict="change", label="<script>x</script>", note=note)

    text = ada.get(f"{PATH}?record={queue[0]}").text

    assert text.count("&lt;script&gt;x&lt;/script&gt;") >= 3  # button, record, last decisions
    assert "<script>x" not in text
    assert "<img src=x" not in text


def test_who_may_not_decide_has_no_such_screen(review: Review, as_person: As) -> None:
    assert as_person("vic").get(f"{PATH}.json").status_code == 403


def test_a_closed_review_is_shown_without_a_form(team: Studio, ada: httpx.Client) -> None:
    Reviews(team.database).set_state("patients", "closed")

    text = ada.get(PATH).text

    assert "alo review reopen patients" in text
    assert "data-decide hidden" in text


@pytest.fixture
def real(team: Studio, runs: dict[str, str]) -> str:
    """A review of what the project's inference has written; returns its record."""
    asked = ReviewRequest(
        name="real", person="ada", time="now", settings=ReviewSettings(prediction="b"), random=1
    )
    new_review(team.workspace, team.database, asked)
    return f"{runs['inference']}:0"


def test_the_input_is_beside_the_prediction(ada: httpx.Client, real: str) -> None:
    (item,) = ada.get("/reviews/real/label.json").json()["items"]

    assert (item["record"], item["predicted"], item["picture"]) == (real, "2", None)
    assert item["input"] == {"a": "1"}


PICTURE = """
with open(self.asset.get_output_path() + "/output.csv", "w") as file:
    file.write("file,prediction\\none.png,cat\\ntwo.png,cat\\n")
self.asset.save_summary("cat", 0.5)
"""


def review_pictures(home: Path, team: Studio, run: Callable[..., object], *, random: int) -> None:
    """Have what is in ``data/`` inferred, and a review of it."""
    plan = find_plan(home)
    said = json.loads(plan.read_text())
    said["external_path"] = [{"load_inference_data_path": "./data/"}]
    plan.write_text(json.dumps(said))
    run(home, mode="inference")
    settings = ReviewSettings(image="file")
    asked = ReviewRequest(name="real", person="ada", time="now", settings=settings, random=random)
    new_review(team.workspace, team.database, asked)


def test_a_picture_is_shown_large_and_small_and_a_missing_one_says_so(
    home: Path, team: Studio, ada: httpx.Client, run: Callable[..., object]
) -> None:
    image = pytest.importorskip("PIL.Image")
    (home / "data").mkdir()
    image.new("RGB", (600, 400), "red").save(home / "data" / "one.png")
    write_asset(home, "infer", PICTURE)
    review_pictures(home, team, run, random=2)

    items = ada.get("/reviews/real/label.json").json()["items"]
    shown = {each["files"][0]: each["picture"] for each in items if each["files"]}

    whole = ada.get(shown["one.png"])
    assert whole.content == (home / "data" / "one.png").read_bytes()
    assert whole.headers["content-type"] == "image/png"
    small = ada.get(f"{shown['one.png']}&thumb=64")
    assert small.headers["content-type"] == "image/webp"
    assert len(small.content) < len(whole.content)
    missing = next((each for each in items if each["picture"] is None), None)
    if missing is not None:
        assert "two.png" in missing["missing"]
        path = f"/reviews/real/picture?record={missing['record']}"
        assert ada.get(path).status_code == 404
    assert ada.get("/reviews/real/picture?record=run-z:1").status_code == 404


LARGE = """
with open(self.asset.get_output_path() + "/output.csv", "w") as file:
    file.write("prediction,text," + ",".join(f"c{n}" for n in range(3000)) + "\\n")
    for row in range(30):
        text = "x" * 200_000 + f"the end of {row}"
        file.write(f"cat,{text}," + ",".join(f"{row}.{n}" for n in range(3000)) + "\\n")
self.asset.save_summary("cat", 0.5)
"""


def test_however_large_inputs_are_the_pages_are_not_and_lead_to_the_whole(
    home: Path, team: Studio, ada: httpx.Client, run: Callable[..., object]
) -> None:
    write_asset(home, "infer", LARGE)
    run(home, mode="inference")
    asked = ReviewRequest(
        name="large", person="ada", time="now", settings=ReviewSettings(), random=30
    )
    new_review(team.workspace, team.database, asked)

    pages = {
        path: ada.get(f"/reviews/large{path}").text for path in ("", "/label", "/label?view=grid")
    }

    assert {path: len(text) < 400_000 for path, text in pages.items()} == dict.fromkeys(pages, True)
    assert "The first 50 of 3,001 columns are shown" in pages[""]
    assert "2,901 more columns are not shown." in pages["/label"]
    record = ada.get("/reviews/large/label.json").json()["items"][0]["record"]
    row = record.rpartition(":")[2]
    assert f'href="/reviews/large/input?record={record.replace(":", "%3A")}"' in pages["/label"]
    whole = ada.get(f"/reviews/large/input?record={record}")
    lines = whole.text.splitlines()
    assert len(lines) == 1 + 3001
    assert lines[0] == "column,value"
    assert lines[1].endswith(f"the end of {row}")
    assert lines[-1] == f"c2999,{row}.2999"
    assert "attachment" in whole.headers["content-disposition"]
    assert ada.get("/reviews/large/input?record=run-z:1").status_code == 404


def test_a_file_that_is_no_picture_is_named_in_its_place(
    home: Path, team: Studio, ada: httpx.Client, run: Callable[..., object]
) -> None:
    (home / "data").mkdir()
    (home / "data" / "page.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    write_asset(home, "infer", PICTURE.replace("one.png", "page.svg").replace("two.png,cat", ""))
    review_pictures(home, team, run, random=1)

    text = ada.get("/reviews/real/label").text

    assert "page.svg cannot be shown: there are pictures of .png" in text
    assert "<img" not in text
