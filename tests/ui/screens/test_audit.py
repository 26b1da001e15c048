"""A line of the audit leads to the traces of what it speaks of."""

from __future__ import annotations

import re

import httpx
import pytest

from alo.ui.studio import Studio

ONE, TWO = "20260101T090000Z-00000001-churn", "20260102T090000Z-00000002-churn"


@pytest.mark.parametrize(
    ("act", "target", "after", "traced"),
    [
        ("deploy", TWO, {"run": TWO, "before": ONE, "who": "ada"}, [TWO, ONE]),
        ("remove-dataset", "patients@v2", {}, ["patients@v2"]),
        ("retrain", "j1", {"command": ["alo", "retrain", "--dataset", "a@v1"]}, []),  # typed
        ("user-added", "ada@work", {"role": "viewer", "is_new": True}, []),
    ],
)
def test_every_run_and_data_set_of_a_line_leads_to_its_trace(
    client: httpx.Client,
    studio: Studio,
    act: str,
    target: str,
    after: dict[str, object],
    traced: list[str],
) -> None:
    studio.audit.add("ada", act, target, after=after)

    page = client.get("/audit").text

    assert re.findall('data-trace="([^"]+)"', page) == traced
