"""What people said about one record: which decisions count, and what becomes of a new one.

Decisions are only ever appended. A record has up to three looks: the first person's; for some
records a second person's, who does not see the first; and, where those two differ, the one that
settles it. Within a look the last decision counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ACCEPT, CHANGE, SKIP, FLAG, RESET = "accept", "change", "skip", "flag", "reset"
VERDICTS = (ACCEPT, CHANGE, SKIP, FLAG, RESET)
UNDECIDED, ACCEPTED, CHANGED, SKIPPED, FLAGGED, CONFLICT = (
    "undecided",
    "accepted",
    "changed",
    "skipped",
    "flagged",
    "conflict",
)
STATES = (UNDECIDED, ACCEPTED, CHANGED, SKIPPED, FLAGGED, CONFLICT)
FIRST, SECOND, SETTLING = 1, 2, 3  # looks
MOST_NOTE = 2000  # characters
STATE_OF = {ACCEPT: ACCEPTED, CHANGE: CHANGED, SKIP: SKIPPED, FLAG: FLAGGED, RESET: UNDECIDED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One that was stored."""

    number: int
    verdict: str
    label: str | None  # the id of a label; of the prediction where it was accepted
    note: str
    person: str
    time: str
    look: int = FIRST


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDecision:
    """One that is sent."""

    key: str  # a repeated send has the same
    record: str
    verdict: str
    label: str | None = None
    note: str = ""
    seen: int | None = None  # the last decision of the record that the person saw
    replace: bool = False  # even if someone else has decided meanwhile
    action: str = ""  # those of a request that have the same are taken back together


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A record that decisions are about."""

    predicted: str  # the id of its label
    is_second_look: bool = False


@dataclass(frozen=True, slots=True)
class Save:
    """The decision is to be stored."""

    label: str | None
    look: int


@dataclass(frozen=True, slots=True)
class Unchanged:
    """It says what is said already."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Someone decided otherwise, unseen by who sent it."""

    theirs: Decision


@dataclass(frozen=True, slots=True)
class Refuse:
    """It makes no sense."""

    why: str


Outcome = Save | Unchanged | Conflict | Refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordState:
    """What all decisions of a record come to."""

    state: str
    label: str | None = None
    note: str = ""
    seen: int | None = None  # what a decision on it sends back
    by: str = ""
    at: str = ""


NOTHING_SAID = RecordState(state=UNDECIDED)


def judge(
    sent: NewDecision,
    record: Reviewed,
    past: Sequence[Decision],
    labels: Mapping[str, str],
    person: str,
    *,
    may_settle: bool,
) -> Outcome:
    """What becomes of a decision.

    Args:
        past: all decisions of the record, in their order.
        labels: names of the labels that may be given → their ids.
        may_settle: whether the person may settle what two others see differently.
    """
    if sent.verdict not in VERDICTS:
        return Refuse(f"'{sent.verdict}' is none of {', '.join(VERDICTS)}")
    if len(sent.note) > MOST_NOTE:
        return Refuse(f"the note has more than {MOST_NOTE:,} characters")
    label = _label_of(sent, record, labels)
    if isinstance(label, Refuse):
        return label
    look = look_of(record, past, person, may_settle=may_settle)
    if look is None:
        return Refuse("two people have labelled it; a third, or an operator, settles it")
    last = _last(past, look)
    if last is None:
        is_same = sent.verdict == RESET
    else:
        is_same = (last.verdict, last.label, last.note) == (sent.verdict, label, sent.note)
    if is_same:
        return Unchanged()
    if not sent.replace and last is not None and sent.seen != last.number:
        if last.verdict in (ACCEPT, CHANGE) and last.label == label:
            return Unchanged()  # both say the same of it
        return Conflict(last)
    return Save(label, look)


def _label_of(
    sent: NewDecision, record: Reviewed, labels: Mapping[str, str]
) -> str | Refuse | None:
    """The label that a decision gives; None: it gives none."""
    if sent.verdict == ACCEPT:
        return record.predicted
    if sent.verdict != CHANGE:
        return None
    if sent.label is None:
        return Refuse("a change needs a label")
    if sent.label not in labels:
        return Refuse(f"no label is called '{sent.label}'")
    return labels[sent.label]


def look_of(
    record: Reviewed, past: Sequence[Decision], person: str, *, may_settle: bool
) -> int | None:
    """Which look a person's decision belongs to; None: it is for others to decide."""
    if not record.is_second_look:
        return FIRST
    first, second = _said(past, FIRST), _said(past, SECOND)
    if first is None or (first.person == person and second is None):
        return FIRST
    if second is None:
        return SECOND
    if _labels_differ(first, second):
        is_third = person not in (first.person, second.person)
        return SETTLING if is_third or may_settle else None
    return FIRST if first.person == person else SECOND if second.person == person else FIRST


def state_of(record: Reviewed, past: Sequence[Decision], person: str | None = None) -> RecordState:
    """What decisions come to.

    Args:
        person: as they see it: what another said first is not shown to who looks second. None:
            as it is.
    """
    first, second = _last(past, FIRST), _last(past, SECOND)
    settling = _said(past, SETTLING)
    if settling is not None:
        return _shown(settling)
    if not record.is_second_look or first is None:
        return _shown(first) if first else NOTHING_SAID
    said_first, said_second = _said(past, FIRST), _said(past, SECOND)
    if said_first and said_second and _labels_differ(said_first, said_second):
        last = _last(past, SETTLING)
        return RecordState(state=CONFLICT, seen=last.number if last else None)
    if said_first and not said_second and person not in (None, said_first.person):
        return RecordState(state=UNDECIDED, seen=second.number if second else None)
    if said_second and person == said_second.person:
        return _shown(said_second)
    return _shown(first)


def both_looks(past: Sequence[Decision]) -> tuple[Decision, Decision] | None:
    """The labels of two people, where both gave one."""
    first, second = _said(past, FIRST), _said(past, SECOND)
    if first is None or second is None or first.label is None or second.label is None:
        return None
    return first, second


def _labels_differ(first: Decision, second: Decision) -> bool:
    return first.label is not None and second.label is not None and first.label != second.label


def _last(past: Sequence[Decision], look: int) -> Decision | None:
    return next((each for each in reversed(past) if each.look == look), None)


def _said(past: Sequence[Decision], look: int) -> Decision | None:
    """The last of a look, unless it was taken back."""
    last = _last(past, look)
    return None if last is None or last.verdict == RESET else last


def _shown(last: Decision) -> RecordState:
    return RecordState(
        state=STATE_OF[last.verdict],
        label=last.label,
        note=last.note,
        seen=last.number,
        by="" if last.verdict == RESET else last.person,
        at="" if last.verdict == RESET else last.time,
    )


def last_actions(actions: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """The action that an undo would take back, and that which a redo would; empty: none.

    Args:
        actions: of one person, in their order: each with the action that it takes back, or "".
    """
    done: list[str] = []
    undone: list[str] = []
    for action, undoes in actions:
        if not undoes:
            done.append(action)
            undone.clear()
        elif undone and undone[-1] == undoes:  # a redo takes an undo back
            undone.pop()
            done.append(action)
        elif done and done[-1] == undoes:
            done.pop()
            undone.append(action)
    return done[-1] if done else "", undone[-1] if undone else ""
