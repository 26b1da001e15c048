"""What a review found odd when it was made stays on its page."""

from __future__ import annotations

import httpx
import pytest
from tests.review.conftest import create_review

from alo.review.rows import Review
from alo.ui.studio import Studio


@pytest.fixture
def review(team: Studio) -> Review:
    note = "output.csv: 'p' is no number from 0 to 1: <b>nan</b>"
    return create_review(team.database, asked={"seed": 1, "notes": [note]})


def test_notes_are_on_the_page_and_no_markup(ada: httpx.Client) -> None:
    page = ada.get("/reviews/patients").text

    assert "is no number from 0 to 1: &lt;b&gt;nan&lt;/b&gt;" in page
