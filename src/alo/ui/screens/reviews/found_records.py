"""The records of a review that the filters of a page find, with what the model was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from alo.loop.record_inputs import record_inputs
from alo.review.decisions import STATES
from alo.review.finding import NO_SOURCE, Finder, RecordFilter
from alo.review.inputs import RecordInput
from alo.review.queue import PICKED, RANDOM, UNCERTAIN
from alo.review.rows import ItemShown, Review
from alo.ui.problems import refused_value
from alo.ui.studio import Studio

SOURCES = (RANDOM, UNCERTAIN, PICKED, NO_SOURCE)
FILTERS = ("q", "state", "source", "predicted", "label")
FIRST_LOOK, LOOK = 500, 100_000  # records that are read at once: few, and then a run at a time


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A record with its input."""

    item: ItemShown
    given: RecordInput

    def has(self, text: str) -> bool:
        """Whether a text is in what people see of it."""
        item = self.item
        own = (item.id, item.record.predicted, item.label or "", item.state.note)
        return any(text in each.casefold() for each in (*own, *self.given.values))

    def to_json(self) -> dict[str, object]:
        """As a list of records has it."""
        given = self.given
        return {
            **self.item.to_json(),
            "input": dict(zip(given.columns, given.values, strict=False)),
            "picture": given.picture.name if given.picture else None,
            "missing": given.why,
        }


class FoundRecords:
    """Those of a review.

    Args:
        person: who looks.
        wanted: key → value of the filters, as the URL has them; an empty one is none.
    Raises:
        UiProblem: 422: a value cannot be.
    """

    def __init__(
        self, studio: Studio, review: Review, person: str, wanted: Mapping[str, str]
    ) -> None:
        self._studio, self._review = studio, review
        self._finder = Finder(studio.database, review, person)
        self._text = wanted.get("q", "").casefold()
        state, source = wanted.get("state", ""), wanted.get("source", "")
        for key, value, known in (("state", state, STATES), ("source", source, SOURCES)):
            if value and value not in known:
                raise refused_value(key, f"'{value}' is none of {', '.join(known)}")
        self._wanted = RecordFilter(
            states=[state] if state else (),
            sources=[source] if source else (),
            predicted=wanted.get("predicted", ""),
            label=wanted.get("label", ""),
        )

    @property
    def total(self) -> int | None:
        """How many there are; None: that is not counted where a text is looked for."""
        return None if self._text else self._finder.count(self._wanted)

    def page(self, after: int, limit: int) -> Sequence[FoundRecord]:
        """Some of them, in their order.

        Args:
            after: the place of the last one of the page before.
        """
        if not self._text:
            return self._with_inputs(self._finder.items(self._wanted, after=after, limit=limit))
        found: list[FoundRecord] = []
        for part in self._parts(after):
            found += [each for each in self._with_inputs(part) if each.has(self._text)]
            if len(found) >= limit:
                break
        return found[:limit]

    def every(self) -> Iterator[FoundRecord]:
        """All of them."""
        for part in self._parts(-1):
            for each in self._with_inputs(part):
                if not self._text or each.has(self._text):
                    yield each

    def items(self, most: int) -> Sequence[ItemShown]:
        """All of them without their inputs, so many at most."""
        if self._text:
            return [each.item for each in self.page(-1, most)]
        return self._finder.items(self._wanted, limit=most)

    def _parts(self, after: int) -> Iterator[Sequence[ItemShown]]:
        most = FIRST_LOOK
        while part := self._finder.items(self._wanted, after=after, limit=most):
            yield part
            after, most = part[-1].record.place, LOOK

    def _with_inputs(self, items: Sequence[ItemShown]) -> Sequence[FoundRecord]:
        given = record_inputs(self._studio.workspace, self._review, [each.id for each in items])
        return [FoundRecord(each, given[each.id]) for each in items]
