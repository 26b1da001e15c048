"""``/reviews/{name}/decisions`` and ``undo``: what people say about records, by script or page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from urllib.parse import quote, urlencode

from alo.database.audit import add_change
from alo.history.ids import utc_now
from alo.review.deciding import CONFLICT, MOST, REFUSED, SAVED, Result, decide, undo
from alo.review.decisions import CHANGE, NewDecision
from alo.ui.access.roles import OPERATOR
from alo.ui.ask import Ask
from alo.ui.problems import UiError, refused_value
from alo.ui.refused import or_again
from alo.ui.rendering.page import Page, Redirect
from alo.ui.screens.reviews import conflicts
from alo.ui.screens.reviews import label as label_screen
from alo.ui.screens.reviews.named import named

FIELDS = {  # of a decision, with what their values have to be
    "key": str,
    "record": str,
    "verdict": str,
    "label": str,
    "note": str,
    "seen": int,
    "replace": bool,
    "action": str,
}
WORDS = {str: "a text", int: "a whole number", bool: "true or false"}
REQUIRED = ("key", "record", "verdict")
MAY_BE_NULL = ("label", "seen", "note")


def send(ask: Ask) -> Page | Redirect:
    """Store decisions; each is judged alone, and answered in its place.

    Raises:
        UiError: 409: the review is closed, or they are another person's; 413: there are too many.
    """
    review = named(ask)
    if ask.is_form:
        return _from_form(ask, review.name)
    check_person(ask)
    entries = ask.body.get("decisions")
    if not isinstance(entries, list):
        raise refused_value("decisions", "it has to be a list")
    if len(entries) > MOST:
        raise UiError(413, f"at most {MOST:,} decisions are taken at once, not {len(entries):,}")
    results = _store(ask, review.name, [_read(each) for each in entries])
    return Redirect(_screen(review.name), {"results": [answer_of(ask, each) for each in results]})


def take_back(ask: Ask) -> Redirect:
    """Take back the person's last action, or bring it again.

    Raises:
        UiError: 409: the review is closed.
    """
    review = named(ask)
    check_person(ask)
    redo = ask.body.get("redo", False)
    if redo not in (True, False, "true", "false"):
        raise refused_value("redo", "it has to be true or false")
    with ask.studio.database.transaction() as rows:
        results = undo(
            ask.studio.database,
            review.name,
            person=ask.who.name,
            time=utc_now(),
            redo=redo in (True, "true"),
            key=ask.text("key"),
        )
        saved = sum(each.state == SAVED for each in results)
        if saved > 1:
            add_change(rows, ask.who.name, "undo", review.name, after={"decisions": saved})
    if ask.is_form and any(each.state == REFUSED for each in results):
        raise UiError(409, "; ".join(f"{each.record}: {each.why}" for each in results if each.why))
    to = _screen(review.name, record=results[-1].record) if results else _screen(review.name)
    back = ask.text("back")
    if back.startswith(f"{ask.studio.settings.base_path}/reviews/{quote(review.name)}"):
        to = back
    return Redirect(to, {"results": [answer_of(ask, each) for each in results]})


def _from_form(ask: Ask, name: str) -> Page | Redirect:
    """One decision of a page; one that is refused, with the record as it is now."""
    base, record = f"/reviews/{name}", ask.text("record")
    if ask.text("back").endswith("/conflicts"):
        show, at = conflicts.show, ask.page_at(f"{base}/conflicts")
    else:
        show, at = label_screen.show, ask.page_at(f"{base}/label", [("record", record)])
    return or_again(ask, lambda ask: _send_form(ask, name), show, at)


def _send_form(ask: Ask, name: str) -> Redirect:
    """What a page sends that runs no script: one decision, and on to the next record."""
    record, label, seen = ask.text("record"), ask.text("label"), ask.text("seen")
    entry = {
        "key": ask.text("key"),
        "record": record,
        "verdict": ask.text("verdict") or CHANGE,
        "label": label or None,
        "note": ask.text("note"),
        "seen": int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 16 else None,
        "replace": ask.text("replace") == "true",
    }
    (result,) = _store(ask, name, [_read(entry)])
    if result.state in (CONFLICT, REFUSED):
        theirs = f" ({result.their_label})" if result.their_label else ""
        raise UiError(
            422 if result.state == REFUSED else 409,
            f"{record}: {result.why}{theirs}",
            fix="below it is as it is now",
        )
    back = ask.text("back")
    if back.startswith(_screen(name)) or back.startswith(f"/reviews/{quote(name)}/conflicts"):
        return Redirect(back)
    return Redirect(_screen(name, after=record))


def _store(ask: Ask, name: str, entries: Sequence[NewDecision | Result]) -> Sequence[Result]:
    """What becomes of each; of those that say nothing, that is known already."""
    sent = [each for each in entries if isinstance(each, NewDecision)]
    with ask.studio.database.transaction() as rows:
        stored = decide(
            ask.studio.database,
            name,
            sent,
            person=ask.who.name,
            time=utc_now(),
            may_settle=ask.who.may(OPERATOR),
        )
        actions = zip(sent, stored, strict=True)
        counts = Counter(new.action for new, result in actions if result.state == SAVED)
        for count in counts.values():
            if count > 1:  # one alone is among the decisions, with who and when
                add_change(rows, ask.who.name, "decide", name, after={"decisions": count})
    following = iter(stored)
    return [each if isinstance(each, Result) else next(following) for each in entries]


def _read(entry: object) -> NewDecision | Result:
    """A decision, or the answer to what is none."""
    if not isinstance(entry, dict):
        return Result(key="", record="", state=REFUSED, why="a decision is an object")
    key, record = entry.get("key"), entry.get("record")
    if wrong := _wrong(entry):
        return Result(
            key=key if isinstance(key, str) else "",
            record=record if isinstance(record, str) else "",
            state=REFUSED,
            why=wrong,
        )
    given = {name: value for name, value in entry.items() if value is not None}
    return NewDecision(**given)


def _wrong(entry: dict[str, object]) -> str:
    """What is wrong with the fields of a decision; empty: nothing."""
    for name, value in entry.items():
        kind = FIELDS.get(name)
        if kind is None:
            return f"{ascii(name)[:50]} is no field of a decision: there are {', '.join(FIELDS)}"
        if type(value) is not kind and not (value is None and name in MAY_BE_NULL):
            return f"{name} has to be {WORDS[kind]}"
    missing = [name for name in REQUIRED if name not in entry]
    return f"{missing[0]} is missing" if missing else ""


def answer_of(ask: Ask, result: Result) -> dict[str, object]:
    """What became of a decision, for who has sent it."""
    return {**result.to_json(), "why": ask.say(result.why)}


def check_person(ask: Ask) -> None:
    """What somebody has decided is not stored as another's who has signed in meanwhile."""
    by = ask.text("by", ask.who.name)
    if by != ask.who.name:
        raise UiError(409, f"these are of {by}, and you are {ask.who.name}", fix=f"sign in as {by}")


def _screen(name: str, **state: str) -> str:
    path = f"/reviews/{quote(name)}/label"
    return f"{path}?{urlencode(state)}" if state else path
