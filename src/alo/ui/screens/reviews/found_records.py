"""The records of a review that the filters of a page find, with what the model was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote, urlencode

from alo.loop.record_inputs import record_inputs
from alo.loop.record_texts import places_with
from alo.review.decisions import STATES
from alo.review.finding import NO_SOURCE, Finder, RecordFilter
from alo.review.queue import PICKED, RANDOM, UNCERTAIN
from alo.review.results.inputs import RecordInput
from alo.review.rows import ItemShown, Review
from alo.ui.problems import refused_value
from alo.ui.screens.files.files import IMAGES
from alo.ui.studio import Studio

SOURCES = (RANDOM, UNCERTAIN, PICKED, NO_SOURCE)
FILTERS = ("q", "state", "source", "predicted", "label")
LOOK = 100_000  # records that are read at once, for a table of all


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A record with its input."""

    item: ItemShown
    given: RecordInput
    picture: str = ""  # its URL below the studio; empty: there is none

    def to_json(self) -> dict[str, object]:
        """As a list of records has it."""
        return record_json(self.item, self.given, self.picture)


def record_json(item: ItemShown, given: RecordInput, picture: str) -> dict[str, object]:
    """A record with what the model was given, as every page of a review has it.

    Args:
        picture: its URL below the studio; empty: there is none.
    """
    return {
        **item.to_json(),
        "input": dict(zip(given.columns, given.values, strict=False)),
        "picture": picture or None,
        "files": [given.picture.name] if given.picture else list(given.files),
        "table": given.table or None,
        "row": given.row,
        "missing": given.why,
    }


def picture_of(given: RecordInput) -> Path | None:
    """The picture of a record; of a whole request, the only one of its files."""
    if given.picture is not None:
        return given.picture if given.picture.suffix.lower() in IMAGES else None
    found = [path for path in given.files.values() if path.suffix.lower() in IMAGES]
    return found[0] if len(found) == 1 else None


def picture_url(review: Review, record: str, given: RecordInput) -> str:
    """Where the studio has a record's picture; empty: it has none."""
    path = f"/reviews/{quote(review.name)}/picture?{urlencode({'record': record})}"
    return path if picture_of(given) else ""


class FoundRecords:
    """Those of a review.

    Args:
        person: who looks.
        wanted: key → value of the filters, as the URL has them; an empty one is none.
    Raises:
        UiError: 422: a value cannot be.
    """

    def __init__(
        self, studio: Studio, review: Review, person: str, wanted: Mapping[str, str]
    ) -> None:
        self._studio, self._review = studio, review
        self._finder = Finder(studio.database, review, person)
        self._text = wanted.get("q", "")
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
    def total(self) -> int:
        """How many there are."""
        return len(self._with_text) if self._text else self._finder.count(self._wanted)

    def page(self, after: int, limit: int) -> Sequence[FoundRecord]:
        """Some of them, in their order.

        Args:
            after: the place of the last one of the page before.
        """
        if not self._text:
            return self._with_inputs(self._finder.items(self._wanted, after=after, limit=limit))
        behind = [at for place, at in self._with_text if place > after]
        return self._with_inputs(self._finder.at(behind[:limit]))

    def every(self) -> Iterator[FoundRecord]:
        """All of them."""
        after = -1
        while part := self.page(after, LOOK):
            yield from part
            after = part[-1].item.record.place

    def items(self, most: int) -> Sequence[ItemShown]:
        """All of them without their inputs, so many at most."""
        if self._text:
            return self._finder.at([at for _, at in self._with_text[:most]])
        return self._finder.items(self._wanted, limit=most)

    @cached_property
    def _with_text(self) -> Sequence[tuple[int, int]]:
        """Those that have the text, in their order: their places in it, and in the population."""
        given = places_with(self._studio.workspace, self._review, self._text)
        return self._finder.with_text(self._wanted, self._text, given)

    def _with_inputs(self, items: Sequence[ItemShown]) -> Sequence[FoundRecord]:
        given = record_inputs(self._studio.workspace, self._review, [each.id for each in items])
        return [
            FoundRecord(each, given[each.id], picture_url(self._review, each.id, given[each.id]))
            for each in items
        ]
