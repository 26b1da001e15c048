"""A review is exported as the command line does."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from tests.support.reviewed_project import make_review

from alo.review.rows import Review
from alo.ui.studio import Studio


@pytest.fixture
def review(home: Path, team: Studio) -> Review:
    return make_review(home, team.database)


def test_the_queue_is_a_file_in_each_format(ada: httpx.Client) -> None:
    def exported(form: str) -> httpx.Response:
        return ada.get(f"/reviews/patients/export?format={form}")

    assert len(exported("csv").text.splitlines()) == 12
    lines = [json.loads(line) for line in exported("jsonl").text.splitlines()]
    assert lines[0]["record"] == json.loads(exported("label-studio").text)[0]["data"]["record"]
    assert "patients.json" in exported("label-studio").headers["content-disposition"]
    assert exported("odd").status_code == 422


def test_closing_and_reopening_twice_is_done_once(ada: httpx.Client, team: Studio) -> None:
    for path in ("close", "close", "reopen", "reopen"):
        assert ada.post(f"/reviews/patients/{path}", json={}).status_code == 200

    assert (
        len([each for each in team.audit.changes() if each.act == "review"]) == 3
    )  # with its making
