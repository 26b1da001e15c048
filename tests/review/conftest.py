"""A review in a database, as the tests of this folder need it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pytest
from tests.conftest import OpenDatabase

from alo.database.connection import Database
from alo.review.labels import Labels
from alo.review.queue import QueueRequest, make_queue
from alo.review.results.records import FoundRecord
from alo.review.reviews import ReviewDraft, Reviews
from alo.review.rows import PopulationRun, Review
from alo.review.strata import Case

MakeReview = Callable[..., Review]


@pytest.fixture
def database(open_database: OpenDatabase) -> Database:
    return open_database()


def create_review(
    database: Database,
    name: str = "patients",
    *,
    records: int = 10,
    picked: Sequence[int] = (),
    asked: Mapping[str, object] | None = None,
    **queue: int | float,
) -> Review:
    """A review of two runs, of whose records some are in the queue."""
    first = records // 2
    predicted = ["good" if at % 2 else "bad" for at in range(records)]
    stored = [
        FoundRecord(
            at=at,
            content=f"c{at}",
            predicted=predicted[at],
            certainty=at / records,
            probabilities={"good": at / records},
        )
        for at in range(records)
    ]
    request = QueueRequest(**{"random": 4, **queue}, picked=picked)  # type: ignore[arg-type]
    return Reviews(database).create(
        ReviewDraft(
            name=name,
            person="ada",
            created="2026-01-01T00:00:00Z",
            asked=asked or {"seed": request.seed, "second_look": request.second_look},
            runs=[
                PopulationRun(id="run-a", first=0, records=first),
                PopulationRun(id="run-b", first=first, records=records - first),
            ],
            counts={"records": records},
            labels=Labels.named(["good", "bad"]),
            records=stored,
            queue=make_queue(
                [Case(each.predicted, each.certainty) for each in stored],
                [each.content for each in stored],
                request,
            ),
        )
    )


@pytest.fixture
def make_review(database: Database) -> MakeReview:
    """``make_review(records=10, random=4)``: `create_review` in this database."""
    return partial(create_review, database)
