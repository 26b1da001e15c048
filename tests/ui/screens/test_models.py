"""Models are deployed and rolled back, and what cannot be is refused."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from alo.ui.studio import Studio

OWN = {"Origin": "http://127.0.0.1:8811"}


def test_a_model_is_deployed_and_rolled_back(
    client: httpx.Client, studio: Studio, home: Path, run: Callable[..., Any]
) -> None:
    asset = home / "assets/train/asset_train.py"
    code = "__import__('pathlib').Path(self.asset.get_model_path(), 'm').write_text('m')"
    text = asset.read_text()
    asset.write_text(text.replace("x = self.args", f"{code}\n        x = self.args"))
    (one,), (two,) = run(home, mode="train"), run(home, mode="train")

    assert client.post("/deploy", json={"run": one.run_id}, headers=OWN).status_code == 200
    assert client.post("/deploy", json={"run": two.run_id}, headers=OWN).json()["run"] == two.run_id
    back = client.post("/deploy", data={"rollback": "true"}, headers=OWN)

    assert (back.status_code, back.headers["location"]) == (303, "/models")
    assert client.get("/models.json").json()["deployed"]["run"] == one.run_id
    changes = studio.audit.changes()
    assert [(each.act, each.target) for each in changes] == [
        ("rollback", one.run_id),
        ("deploy", two.run_id),
        ("deploy", one.run_id),
    ]
    rows = list(csv.DictReader(client.get("/models.csv?limit=1").text.splitlines()))
    assert [each["id"] for each in rows] == [two.run_id, one.run_id]


def test_what_is_deployed_was_before_and_runs_in_the_shadow_leads_to_its_trace(
    client: httpx.Client, home: Path, run: Callable[..., Any]
) -> None:
    asset = home / "assets/train/asset_train.py"
    code = "__import__('pathlib').Path(self.asset.get_model_path(), 'm').write_text('m')"
    asset.write_text(asset.read_text().replace("x = self.args", f"{code}\n        x = self.args"))
    one, two, three = [run(home, mode="train")[0].run_id for _ in range(3)]
    for body in ({"run": one}, {"run": two}, {"shadow": three}):
        assert client.post("/deploy", json=body, headers=OWN).status_code == 200

    block = client.get("/models").text.partition("</dl>")[0]

    assert re.findall('data-trace="([^"]+)"', block) == [two, one, three]


def test_what_was_deployed_meanwhile_is_not_rolled_back_by_an_old_page(
    client: httpx.Client, home: Path, run: Callable[..., Any], alo: Callable[..., Any]
) -> None:
    asset = home / "assets/train/asset_train.py"
    code = "__import__('pathlib').Path(self.asset.get_model_path(), 'm').write_text('m')"
    asset.write_text(asset.read_text().replace("x = self.args", f"{code}\n        x = self.args"))
    one, two, three = [run(home, mode="train")[0].run_id for _ in range(3)]
    for each in (one, two):
        assert client.post("/deploy", data={"run": each}, headers=OWN).status_code == 303
    page = client.get("/models").text
    form = {"rollback": "true", "seen": re.findall('name="seen" value="([^"]+)"', page)[0]}
    assert form["seen"] == one

    assert alo("deploy", three, cwd=home).returncode == 0

    refused = client.post("/deploy", data=form, headers=OWN)
    assert refused.status_code == 409
    assert two in refused.text
    assert client.get("/models.json").json()["deployed"]["run"] == three
    form["seen"] = two
    assert client.post("/deploy", data=form, headers=OWN).status_code == 303
    assert client.get("/models.json").json()["deployed"]["run"] == two


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"run": "nope"}, 404),
        ({"run": ""}, 422),
        ({"run": 1}, 422),
        ({}, 422),
        ({"run": "a", "rollback": True}, 422),
        ({"rollback": True}, 409),
        ({"rollback": False}, 422),
        ({"shadow": "nope"}, 404),
    ],
)
def test_what_cannot_be_deployed_is_refused(
    client: httpx.Client, runs: dict[str, str], body: dict[str, object], status: int
) -> None:
    assert client.post("/deploy", json=body, headers=OWN).status_code == status


def test_an_inference_run_cannot_be_deployed(client: httpx.Client, runs: dict[str, str]) -> None:
    assert client.post("/deploy", json={"run": runs["inference"]}, headers=OWN).status_code == 409


def test_where_it_is_not_known_what_is_deployed_the_rest_is_shown_and_a_choice_mends_it(
    client: httpx.Client, home: Path, run: Callable[..., Any]
) -> None:
    asset = home / "assets/train/asset_train.py"
    code = "__import__('pathlib').Path(self.asset.get_model_path(), 'm').write_text('m')"
    asset.write_text(asset.read_text().replace("x = self.args", f"{code}\n        x = self.args"))
    (outcome,) = run(home, mode="train")
    (home / "solution/deployment.json").write_text("{")

    for path in ("/", "/models"):
        page = client.get(path)
        assert page.status_code == 200
        assert "what is deployed cannot be read" in page.text
        assert outcome.run_id in page.text
    assert client.post("/deploy", data={"run": outcome.run_id}, headers=OWN).status_code == 303

    assert client.get("/models.json").json()["problem"] == ""
    assert client.get("/models.json").json()["deployed"]["run"] == outcome.run_id
