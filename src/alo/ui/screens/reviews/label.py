"""``/reviews/{name}/label``: records one at a time, or as a grid; a key decides, and on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex
from urllib.parse import quote, urlencode

from alo.errors import UsageError
from alo.loop.record_inputs import record_inputs
from alo.review.decisions import STATES
from alo.review.finding import RecordFilter
from alo.review.labels import Label
from alo.review.results.inputs import RecordInput
from alo.review.rows import CLOSED, ItemShown, Review
from alo.review.walk import QUEUE, Stretch, Walk, last_said
from alo.ui.ask import Ask
from alo.ui.live.reviews import newest_decision, progress
from alo.ui.problems import not_found
from alo.ui.query import active
from alo.ui.rendering.cut_inputs import CutInput, cut_input
from alo.ui.rendering.page import FileAnswer, Page, Table, TableAnswer
from alo.ui.screens.files import image
from alo.ui.screens.files.files import IMAGES
from alo.ui.screens.reviews.found_records import picture_of, picture_url, record_json
from alo.ui.screens.reviews.named import kept_as, named

FILTERS = ("state", "source", "predicted", "label")
AHEAD = 12  # records that a page has, so that the next is there before it is wanted
IN_GRID = 48
SHOWN_SIDE = 1024  # pixels
GRID = "grid"
DIGITS = "1234567890"


@dataclass(frozen=True, slots=True)
class Case:
    """One record as the page shows it."""

    item: ItemShown
    given: RecordInput
    predicted: str
    probabilities: Sequence[tuple[str, float]]  # the most likely class first
    picture: str  # its URL below the studio; empty: there is none
    whole: str  # the URL of all of its input
    previous: str
    next: str

    @property
    def shown(self) -> CutInput:
        """As much of the input as a page has room for."""
        return cut_input(self.given)

    @property
    def why(self) -> str:
        """Why there is no input, or no picture."""
        given = self.given
        if given.why or given.picture is None or self.picture:
            return given.why
        return f"{given.picture.name} cannot be shown: there are pictures of {', '.join(IMAGES)}"

    def to_json(self) -> dict[str, object]:
        """As ``.json`` has it."""
        return record_json(self.item, self.given, self.picture)


def show(ask: Ask) -> Page:
    """Where the walk through the queue is, and what comes next."""
    ask.query.allow("record", "after", "view", *FILTERS)
    review = named(ask)
    view = ask.query.one("view", among=(GRID,))
    walk = Walk(ask.studio.database, review, ask.who.name, _filter(ask))
    stretch = _stretch(ask, walk, IN_GRID if view else AHEAD)
    inputs = record_inputs(ask.studio.workspace, review, [each.id for each in stretch.items])
    ids = [stretch.previous, *(each.id for each in stretch.items), stretch.next]
    cases = [
        case_of(review, each, inputs[each.id], ids[at], ids[at + 2])
        for at, each in enumerate(stretch.items)
    ]
    content = {
        "review": review.name,
        "state": review.state,
        "labels": [each.to_json() for each in review.labels.shown],
        "items": [each.to_json() for each in cases],
        "previous": stretch.previous or None,
        "next": stretch.next or None,
        "progress": progress(ask.studio.reviews, review),
    }
    shown = {
        "cases": cases,
        "labels": _keyed(review.labels.shown),
        "last": last_said(ask.studio.database, review, ask.who.name),
        "after": newest_decision(ask.studio.database, review),
        "is_closed": review.state == CLOSED,
        "view": view,
        "filters": active(ask.query, {key: key for key in FILTERS}),
        "base": f"/reviews/{quote(review.name)}",
        "kept_as": kept_as(ask, review),
        "new_key": token_hex(16),
        "command": f"alo review show {review.name}",
    }
    return Page("label", review.name, content, shown, folder="reviews/")


def picture(ask: Ask) -> FileAnswer:
    """The picture of a record, or a small copy of it.

    Raises:
        UiError: 404: it has none.
    """
    ask.query.allow("record", "thumb")
    given = _given(ask)
    path = picture_of(given)
    if path is None:
        raise not_found(given.why or f"record '{given.record}' has no picture")
    if ask.query.one("thumb"):
        return image.thumbnail(ask, path, path.name)
    return FileAnswer(path, path.name, IMAGES[path.suffix.lower()])


def whole_input(ask: Ask) -> TableAnswer:
    """All that a model was given for a record, as a table to keep.

    Raises:
        UiError: 404: that is not there.
    """
    ask.query.allow("record")
    given = _given(ask)
    if given.why:
        raise not_found(given.why)
    name = f"{given.record.replace(':', '-')}.csv"
    if not given.columns:
        return TableAnswer(name, Table(["file"], ([each] for each in given.files)))
    pairs = zip(given.columns, given.values, strict=False)
    return TableAnswer(name, Table(["column", "value"], pairs))


def _given(ask: Ask) -> RecordInput:
    """The input of the record that the URL names."""
    review, record = named(ask), ask.query.one("record")
    if review.place_of(record) is None:
        raise not_found(f"review '{review.name}' has no record '{record}'")
    return record_inputs(ask.studio.workspace, review, [record])[record]


def _filter(ask: Ask) -> RecordFilter:
    state = ask.query.one("state", among=STATES)
    source = ask.query.one("source", among=QUEUE)
    return RecordFilter(
        states=[state] if state else (),
        sources=[source] if source else (),
        predicted=ask.query.one("predicted"),
        label=ask.query.one("label"),
    )


def _stretch(ask: Ask, walk: Walk, limit: int) -> Stretch:
    record, after = ask.query.one("record"), ask.query.one("after")
    try:
        return walk.at(record, limit) if record else walk.open(limit, after=after)
    except UsageError as error:
        raise not_found(error.what) from error


def case_of(
    review: Review, item: ItemShown, given: RecordInput, previous: str = "", following: str = ""
) -> Case:
    """A record as pages show it, with its neighbours."""
    shares = sorted(item.record.probabilities.items(), key=lambda each: -each[1])
    return Case(
        item,
        given,
        str(review.labels.name_of(item.record.predicted)),
        [(str(review.labels.name_of(name)), share) for name, share in shares],
        picture_url(review, item.id, given),
        f"/reviews/{quote(review.name)}/input?{urlencode({'record': item.id})}",
        previous,
        following,
    )


def _keyed(labels: Sequence[Label]) -> list[tuple[Label, str]]:
    """Each label with the keys that give it: its own, and that of its place."""
    places = [*DIGITS, *(f"Shift {digit}" for digit in DIGITS)]
    keyed: list[tuple[Label, str]] = []
    for at, label in enumerate(labels):
        keys = [label.key, places[at] if at < len(places) else ""]
        keyed.append((label, " ".join(filter(None, keys[:1] if label.key else keys))))
    return keyed
