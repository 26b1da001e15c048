"""``POST /reviews/{name}/bulk``: one decision for many records, as one action of a person.

The records are those that are named, or all that a filter finds at that moment. ``until`` is the
last decision that the person's page could know: what others have decided since is a conflict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from secrets import token_hex

from alo.database.audit import add_change
from alo.errors import UsageError
from alo.history.ids import utc_now
from alo.review.deciding import CONFLICT, MOST, REFUSED, SAVED, UNCHANGED, decide
from alo.review.decisions import ACCEPT, CHANGE, FLAG, RESET, SKIP, VERDICTS, NewDecision
from alo.review.finding import Finder
from alo.review.rows import ItemShown, Review
from alo.texts import is_whole_number
from alo.ui.access.roles import OPERATOR
from alo.ui.ask import Ask
from alo.ui.problems import UiError, refused_value
from alo.ui.query import Query
from alo.ui.refused import or_again
from alo.ui.rendering.page import Page, Redirect
from alo.ui.screens.reviews import records
from alo.ui.screens.reviews.decisions import answer_of, check_person
from alo.ui.screens.reviews.found_records import FILTERS, FoundRecords
from alo.ui.screens.reviews.named import named

SHOWN = 1000  # results that are no success
OF_ROW = (ACCEPT, SKIP, FLAG)  # buttons of a row, whose value is its record
CELL = "label."  # of a form, before the record whose label was typed


def send(ask: Ask) -> Page | Redirect:
    """Decide on them; a form that is refused is shown as it was sent.

    Raises:
        UiError: 409: the review is closed, or it is another person's; 413: there are too many;
            422: it makes no sense.
    """
    return or_again(ask, _send, records.show, _table_of(ask) if ask.is_form else None)


def _send(ask: Ask) -> Page | Redirect:
    review = named(ask)
    check_person(ask)
    sent = _typed(ask, review) if ask.is_form and "cells" in ask.body else _same(ask, review)
    with ask.studio.database.transaction() as rows:
        results = decide(
            ask.studio.database,
            review.name,
            sent,
            person=ask.who.name,
            time=utc_now(),
            may_settle=ask.who.may(OPERATOR),
        )
        counts = Counter(each.state for each in results)
        if counts[SAVED] > 1:  # one alone is among the decisions, with who and when
            after = {"decisions": counts[SAVED]}
            add_change(rows, ask.who.name, "decide", review.name, after=after)
    others = [each for each in results if each.state in (CONFLICT, REFUSED)]
    back = _table_of(ask).link(page=ask.text("filter.page"))
    content = {
        "counts": dict(counts),
        "results": [answer_of(ask, each) for each in others[:SHOWN]],
        "seen": {each.record: each.seen for each in results if each.state in (SAVED, UNCHANGED)},
    }
    if not others or not ask.is_form:
        return Redirect(back, content)
    is_typed = "cells" in ask.body
    said = {each.record: each.label or each.verdict for each in sent}
    yours = {name: ask.text(f"{CELL}{name}") if is_typed else word for name, word in said.items()}
    shown = {
        "review": review,
        "others": [(each, yours[each.record]) for each in others[:SHOWN]],
        "back": back,
        "key": token_hex(8),
        "until": records.last_decision(ask),
        "is_typed": is_typed,
        "kept": {name: text for name, text in ask.body.items() if name.startswith("filter.")},
    }
    return Page("decided", review.name, content, shown, status=409, folder="reviews/")


def _same(ask: Ask, review: Review) -> Sequence[NewDecision]:
    """The same decision for the records that are named, or that the filter finds."""
    of_row = next((each for each in OF_ROW if ask.text(each)), "")
    record = ask.text(of_row) if of_row else ""
    verdict = of_row or ask.text("verdict")
    if verdict not in VERDICTS:
        raise refused_value("verdict", f"'{verdict}' is none of {', '.join(VERDICTS)}")
    label = review.labels.like(ask.text("label")) if verdict == CHANGE else ""
    if verdict == CHANGE and label not in review.labels.ids:
        raise refused_value("label", f"no label is called '{label}'")
    if record:
        items: Sequence[ItemShown] = _named_items(ask, review, [record])
    elif ask.text("scope") == "filter":
        found = FoundRecords(ask.studio, review, ask.who.name, _filters(ask))
        items = found.items(MOST + 1)
    else:
        items = _named_items(ask, review, _records(ask))
    if len(items) > MOST:
        raise UiError(
            413,
            f"these are more than {MOST:,} records, which is what one action may decide on",
            fix="narrow the filter, and do it in parts",
        )
    return _decisions(ask, items, verdict, label)


def _typed(ask: Ask, review: Review) -> Sequence[NewDecision]:
    """What was typed into the cells of the table, where it is another label than before."""
    typed = {
        key.removeprefix(CELL): str(value).strip()
        for key, value in ask.body.items()
        if key.startswith(CELL)
    }
    sent: list[NewDecision] = []
    for item in _named_items(ask, review, list(typed)):
        label = typed[item.id]
        if label == (item.label or ""):
            continue
        verdict = CHANGE if label else RESET
        if label == review.labels.name_of(item.record.predicted):
            verdict = ACCEPT
        sent += _decisions(ask, [item], verdict, label)
    return sent


def _decisions(ask: Ask, items: Sequence[ItemShown], verdict: str, label: str) -> list[NewDecision]:
    until = _until(ask)
    key = ask.text("key") or token_hex(8)
    return [
        NewDecision(
            key=f"{key} {item.id}",
            record=item.id,
            verdict=verdict,
            label=label if verdict == CHANGE else None,
            note=ask.text("note"),
            seen=_seen(item, until, ask.who.name),
        )
        for item in items
    ]


def _seen(item: ItemShown, until: int | None, person: str) -> int | None:
    """The last decision of the record, if the person's page could know it, or it is their own."""
    seen = item.state.seen
    is_known = seen is None or until is None or seen <= until or item.state.by == person
    return seen if is_known else None


def _until(ask: Ask) -> int | None:
    value = ask.body.get("until")
    if value is None or value == "":
        return None
    if type(value) is int or (isinstance(value, str) and is_whole_number(value)):
        return int(value)
    raise refused_value("until", "it has to be the number of a decision")


def _records(ask: Ask) -> Sequence[str]:
    value = ask.body.get("records", [])
    names = value.splitlines() if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise refused_value("records", "it has to be a list of ids")
    if not names:
        raise refused_value("records", "no record is selected")
    return names


def _named_items(ask: Ask, review: Review, names: Sequence[str]) -> Sequence[ItemShown]:
    if len(names) > MOST:
        raise UiError(413, f"at most {MOST:,} records are decided on at once")
    try:
        return Finder(ask.studio.database, review, ask.who.name).named(names)
    except UsageError as error:
        raise refused_value("records", error.what) from error


def _filters(ask: Ask) -> Mapping[str, str]:
    given = ask.body.get("filter")
    if given is None:  # a form
        return {key: ask.text(f"filter.{key}") for key in FILTERS}
    if not isinstance(given, dict) or not all(isinstance(each, str) for each in given.values()):
        raise refused_value("filter", "it has to be an object of texts")
    if unknown := set(given) - set(FILTERS):
        raise refused_value("filter", f"there is no {', '.join(unknown)}: {', '.join(FILTERS)}")
    return {key: given.get(key, "") for key in FILTERS}


def _table_of(ask: Ask) -> Query:
    """The page of the table that the form was on."""
    keys = {key: ask.text(f"filter.{key}") for key in (*FILTERS, "page", "limit")}
    return ask.page_at(f"/reviews/{ask.names['name']}", keys.items())
