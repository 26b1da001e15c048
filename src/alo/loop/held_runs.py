"""Which runs a review holds in history: from its making on, until it is closed or removed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from alo.database.audit import add_change
from alo.database.connection import Database
from alo.errors import AloError
from alo.history.pins import all_pins, pin, unpin
from alo.layout import Workspace
from alo.loop.record_inputs import record_inputs
from alo.review.results.kept_inputs import KeptInputs
from alo.review.reviews import Reviews, check_free
from alo.review.rows import CLOSED, OPEN, PopulationRun, Review
from alo.texts import counted

HOLDER = "review "  # of runs, before the name
MAKING_S = 3600.0  # longer than any review is being made, once its runs are kept for it


@contextmanager
def held_for(
    workspace: Workspace, database: Database, name: str, runs: Sequence[PopulationRun]
) -> Iterator[None]:
    """Nothing that a review needs can go while it is made; without the review, nothing is kept."""
    reviews = Reviews(database)
    with database.transaction() as rows:
        check_free(rows, name)  # what another one of that name needs stays pinned
    pin(workspace, holder_of(name), [each.id for each in runs], database.place)
    try:
        yield
    except BaseException:
        unpin(workspace, holder_of(name))
        with suppress(AloError):  # somebody else has made one of that name meanwhile
            needed = [each.id for each in reviews.get(name).runs]
            pin(workspace, holder_of(name), needed, database.place)
        raise


def close_review(workspace: Workspace, database: Database, name: str, by: str = "") -> Review:
    """Close a review: it copies what was given for its decided records, and needs no run any more.

    Args:
        by: who does it, for the audit; empty: nobody whom it knows.
    Raises:
        UsageError: there is no such review.
        OSError: what it needs cannot be copied; it is as it was.
    """
    reviews = Reviews(database)
    before = reviews.get(name).state
    review = _set_state(database, name, CLOSED, by)  # nothing is decided meanwhile
    try:
        decided = record_inputs(workspace, review, reviews.decided(review))
        KeptInputs(workspace, review).write(list(decided.values()))
    except BaseException:
        with suppress(AloError):  # closed, but its runs are kept: closing it again completes it
            _set_state(database, name, before, by)
        raise
    unpin(workspace, holder_of(name))
    return review


def reopen_review(workspace: Workspace, database: Database, name: str, by: str = "") -> Review:
    """Open a closed review again; what is left of its runs is kept for it.

    Args:
        by: as of ``close_review``.
    Raises:
        UsageError: there is no such review.
    """
    review = Reviews(database).get(name)
    pin(workspace, holder_of(name), [each.id for each in review.runs], database.place)
    return _set_state(database, name, OPEN, by)


def _set_state(database: Database, name: str, state: str, by: str) -> Review:
    with database.transaction() as rows:
        before = Reviews(database).get(name).state
        review = Reviews(database).set_state(name, state)
        if by and before != state:
            add_change(rows, by, "review", name, {"state": before}, {"state": state})
    return review


def remove_review(workspace: Workspace, database: Database, name: str, by: str = "") -> Review:
    """Delete a review with all its decisions, and what it has copied.

    Args:
        by: as of ``close_review``.
    Raises:
        UsageError: there is no such review.
    """
    with database.transaction() as rows:
        review = Reviews(database).remove(name)
        if by:
            add_change(rows, by, "remove-review", name, {"state": review.state})
    unpin(workspace, holder_of(name))
    KeptInputs(workspace, review).remove()
    return review


def release_unmade(workspace: Workspace, database: Database) -> Iterator[str]:
    """Release the runs of reviews whose making was killed; gives what is to be said of each."""
    known = {holder_of(each.name) for each in Reviews(database).all()}
    for each in all_pins(workspace):
        if not each.holder.startswith(HOLDER) or each.holder in known:
            continue
        if each.known_in == database.place and each.age_s > MAKING_S:
            unpin(workspace, each.holder)
            yield f"{each.holder} was never made: {_runs(each.runs)} kept for it no more"
        else:
            yield (
                f"{_runs(each.runs)} kept for {each.holder}, which is not in this database"
                f" ({each.known_in or 'it is not known in which'}) or is being made; if it is in"
                f" none, remove {each.path}"
            )


def holder_of(name: str) -> str:
    """What keeps the runs of a review, as messages name it."""
    return f"{HOLDER}{name}"


def _runs(ids: Sequence[str]) -> str:
    return counted(len(ids), "run is", "runs are")
