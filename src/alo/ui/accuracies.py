"""The accuracy of each review, computed once for each state of its decisions."""

from __future__ import annotations

from typing import NamedTuple

from alo.database.connection import Database
from alo.loop.accuracy_of import accuracy_of
from alo.loop.kept_lately import KeptLately
from alo.review.accuracy import STRATIFIED, Accuracy
from alo.review.reviews import Reviews
from alo.review.rows import Review, labels_json

KEPT = 200  # estimates
AT_ONCE = 5000  # records of a population that takes no longer than the rest of a page


class _Key(NamedTuple):
    review: int
    method: str
    last_action: int
    labels: str


class Accuracies:
    """The accuracies of a project's reviews."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = KeptLately[_Key, Accuracy](KEPT)

    def of(self, review: Review, method: str = STRATIFIED) -> Accuracy:
        """The estimate of this moment."""
        key = self._key(review, method)
        if (known := self._known.get(key)) is not None:
            return known
        return self._known.keep(key, accuracy_of(Reviews(self._database), review, method))

    def at_once(self, review: Review) -> Accuracy | None:
        """The same, where it is known or found in no time: a page that has more waits for none."""
        if review.counts.get("records", 0) <= AT_ONCE:
            return self.of(review)
        return self._known.get(self._key(review, STRATIFIED))

    def _key(self, review: Review, method: str) -> _Key:
        rows = self._database.read(
            "SELECT max(number) FROM review_actions WHERE review = ?", (review.number,)
        )
        return _Key(review.number, method, int(rows[0][0] or 0), labels_json(review.labels))
