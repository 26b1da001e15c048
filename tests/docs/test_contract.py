"""What the contract says of reviews, data sets and models is what the code has."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Collection
from pathlib import Path

import pytest
from tests.datasets.conftest import make_row

from alo.datasets.catalog import Catalog
from alo.datasets.make import DatasetRequest, make_version
from alo.datasets.manifest import Meaning
from alo.gate import verdict
from alo.gate.comparison import ComparedRow, compare
from alo.gate.verdict import GateSettings
from alo.history.promotions import Promotion
from alo.layout import Workspace
from alo.loop.traces.graph import Trace
from alo.loop.traces.known import KINDS
from alo.plan.model import Gate, ReviewLabel, ReviewPlan, Truth
from alo.review.accuracy import accuracy
from alo.review.agreement import Agreement
from alo.review.deciding import CONFLICT, REFUSED, SAVED, UNCHANGED, Result
from alo.review.decisions import NOTHING_SAID, STATES, VERDICTS, NewDecision
from alo.review.results.inputs import RecordInput
from alo.review.rows import ItemShown, StoredRecord
from alo.ui.screens.reviews.found_records import record_json

CONTRACT = Path(__file__).parents[2] / "docs/reference/contract.md"
RECORD = StoredRecord(at=0, content="c", predicted="x", certainty=None, probabilities={})
ITEM = ItemShown(id="run:0", record=RECORD, state=NOTHING_SAID, label=None)
GIVEN = RecordInput(record="run:0")
REASONS = [
    verdict.TOO_FEW_ROWS, verdict.NOT_SHOWN, verdict.NO_GAIN, verdict.SLICE_WORSE,
    verdict.TEST_IN_TRAINING, verdict.ROWS_UNANSWERED, verdict.CANDIDATE_FAILED,
]  # fmt: skip


def reported(part: str) -> list[str]:
    """What the contract's table has beside this."""
    (row,) = re.findall(rf"^\| {re.escape(part)} \| (.*) \|$", CONTRACT.read_text(), re.MULTILINE)
    return re.findall(r"`([^`]+)`", row)


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("`review`", ReviewPlan._fields),
        ("`review.truth`", Truth._fields),
        ("`review.labels[]`", ReviewLabel._fields),
        ("`review.gate`", Gate._fields),
        ("decision", [each.name for each in dataclasses.fields(NewDecision)]),
        ("verdict", VERDICTS),
        ("result", Result(key="k", record="r", state=SAVED).to_json()),
        ("result's state", [SAVED, UNCHANGED, CONFLICT, REFUSED]),
        ("item", ITEM.to_json()),
        ("item of a page, besides", record_json(ITEM, GIVEN, "").keys() - ITEM.to_json().keys()),
        ("item's state", STATES),
        ("agreement", Agreement(0).to_json()),
        ("accuracy", accuracy([], random=[]).to_json()),
        ("reason", REASONS),
        ("promotion", Promotion("", "", "", "", "").to_json()),
        ("trace", Trace("x", "run").to_json()),
        ("trace's kind", KINDS),
        (
            "comparison",
            compare(
                [ComparedRow(record="r", label="x", old="x", new="x")],
                GateSettings(),
                old_run="a",
                new_run="b",
            ).to_json(),
        ),
    ],
)
def test_a_part_has_the_keys_that_the_contract_says(part: str, names: Collection[str]) -> None:
    assert sorted(reported(part)) == sorted(names)


def test_a_version_has_what_the_contract_says(tmp_path: Path) -> None:
    request = DatasetRequest(
        name="d", rows=[make_row(n) for n in range(9)], reviews=["r"], base="none",
        meaning=Meaning(columns=("id", "x"), key="id"),
    )  # fmt: skip

    version, _ = make_version(Catalog(Workspace(tmp_path)), request)

    manifest = version.manifest.to_json()
    assert sorted(reported("manifest")) == sorted(manifest)
    assert sorted(reported("counts")) == sorted(version.manifest.counts)
    assert reported("file") == [each.name for each in dataclasses.fields(version.manifest.files[0])]
    assert sorted(reported("row")) == sorted(json.loads(make_row().line(None, "train")))
    assert {path.name for path in version.folder.iterdir()} == {
        "train", "test", "test_labels.csv", "rows.jsonl", "manifest.json",
    }  # fmt: skip
