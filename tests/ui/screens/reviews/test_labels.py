"""Labels are added, renamed, merged, recoloured and deleted; what was said stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.reviewed_project import make_review

from alo.review.rows import Review
from alo.ui.studio import Studio

PATH = "/reviews/patients"


@pytest.fixture
def review(home: Path, team: Studio) -> Review:
    return make_review(home, team.database)


def change(client: httpx.Client, action: str, **fields: str) -> httpx.Response:
    return client.post(f"{PATH}/labels", json={"action": action, **fields})


def names(client: httpx.Client) -> list[str]:
    return [each["name"] for each in client.get(f"{PATH}.json").json()["labels"]]


def decide(client: httpx.Client, label: str) -> str:
    items: list[dict[str, Any]] = client.get(f"{PATH}.json?state=undecided").json()["items"]
    body = {"records": [items[0]["record"]], "verdict": "change", "label": label}
    client.post(f"{PATH}/bulk", json=body)
    return str(items[0]["record"])


def test_a_label_is_added_with_its_key_and_colour(ada: httpx.Client, team: Studio) -> None:
    answer = change(ada, "add", name="unclear", key="u", colour="#1f5f9f")

    assert answer.json()["labels"][-1] == {"name": "unclear", "key": "u", "colour": "#1f5f9f"}
    assert [each.act for each in team.audit.changes()] == ["labels", "review"]
    assert 'data-label="unclear"' in ada.get(PATH).text


def test_a_rename_changes_what_is_shown(ada: httpx.Client) -> None:
    record = decide(ada, "benign")

    change(ada, "rename", name="benign", to="harmless")

    (item,) = ada.get(f"{PATH}.json?label=harmless").json()["items"]
    assert (item["record"], item["label"]) == (record, "harmless")
    assert ada.get(f"{PATH}.json?label=benign").json()["items"] == []


def test_a_merge_shows_one_as_the_other(ada: httpx.Client) -> None:
    record = decide(ada, "benign")

    change(ada, "merge", name="benign", into="malignant")

    assert names(ada) == ["malignant"]
    found = ada.get(f"{PATH}.json?label=malignant").json()["items"]
    assert record in [each["record"] for each in found]


def test_colour_and_key_are_changed_alone(ada: httpx.Client) -> None:
    change(ada, "recolour", name="benign", colour="#00ff00", key="b")
    change(ada, "recolour", name="benign", colour="#0000ff")

    (label,) = (
        each for each in ada.get(f"{PATH}.json").json()["labels"] if each["name"] == "benign"
    )
    assert label == {"name": "benign", "key": "b", "colour": "#0000ff"}


def test_one_in_use_is_deleted_into_another_alone(ada: httpx.Client) -> None:
    change(ada, "add", name="unused")
    decide(ada, "benign")

    assert change(ada, "delete", name="unused").status_code == 200
    refused = change(ada, "delete", name="benign")
    assert refused.status_code == 409
    assert "benign" in names(ada)
    assert change(ada, "delete", name="benign", into="malignant").status_code == 200
    assert names(ada) == ["malignant"]


@pytest.mark.parametrize("key", [*"asfnzjki.+-0", "ab"])
def test_a_key_of_a_command_is_refused(ada: httpx.Client, key: str) -> None:
    for action in ("add", "recolour"):
        name = "unclear" if action == "add" else "benign"
        answer = change(ada, action, name=name, key=key)

        assert answer.status_code == 422
        assert answer.json()["fields"][0]["field"] == "key"


@pytest.mark.parametrize(
    ("action", "fields", "field"),
    [
        ("paint", {"name": "benign"}, "action"),
        ("add", {"name": "benign"}, "name"),
        ("add", {"name": ""}, "name"),
        ("rename", {"name": "benign", "to": "malignant"}, "to"),
        ("rename", {"name": "lost", "to": "new"}, "to"),
        ("merge", {"name": "benign", "into": "benign"}, "into"),
        ("recolour", {"name": "benign", "colour": "blue"}, "colour"),
        ("delete", {"name": "lost"}, "name"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    ada: httpx.Client, action: str, fields: dict[str, str], field: str
) -> None:
    answer = change(ada, action, **fields)

    assert answer.status_code == 422
    assert answer.json()["fields"][0]["field"] == field
    assert names(ada) == ["benign", "malignant"]
