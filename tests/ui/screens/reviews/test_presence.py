"""A page tells where somebody is; only of records that there are."""

from __future__ import annotations

import httpx
from tests.ui.screens.reviews.conftest import As

from alo.review.rows import Review
from alo.ui.studio import Studio

PATH = "/reviews/patients/presence"


def test_it_is_told_and_taken_back(team: Studio, review: Review, ada: httpx.Client) -> None:
    assert ada.post(PATH, json={"record": "run-a:3"}).status_code == 200
    assert team.presence.of(review.number) == {"ada": "run-a:3"}

    ada.post(PATH, json={"record": ""})
    assert team.presence.of(review.number) == {}


def test_no_record_and_no_reviewer_is_refused(
    team: Studio, review: Review, ada: httpx.Client, as_person: As
) -> None:
    assert ada.post(PATH, json={"record": "run-z:3"}).status_code == 422
    assert as_person("vic").post(PATH, json={"record": "run-a:3"}).status_code == 403
    assert team.presence.of(review.number) == {}
