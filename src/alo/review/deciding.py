"""Decisions are stored, and taken back: each request is one action of one person."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from alo.database.connection import Connection, Database, marks
from alo.errors import ReviewClosedError, UsageError
from alo.review.decisions import (
    RESET,
    Conflict,
    Decision,
    NewDecision,
    Outcome,
    Refuse,
    Save,
    judge,
    last_actions,
    state_of,
)
from alo.review.queue import PICKED
from alo.review.rows import (
    CLOSED,
    StoredRecord,
    decisions_at,
    named_review,
    records_at,
    reviewed,
)
from alo.texts import is_odd

MOST = 10_000  # decisions of one request
ROWS = 400  # that one statement stores: both databases take the values of so many
SAVED, UNCHANGED, CONFLICT, REFUSED = "saved", "unchanged", "conflict", "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one decision."""

    key: str
    record: str
    state: str  # saved, unchanged, conflict or refused
    why: str = ""
    theirs: Decision | None = None  # what another decided, of a conflict
    their_label: str | None = None
    seen: int | None = None  # of the record, after it

    def to_json(self) -> dict[str, object]:
        """An element of ``results``."""
        theirs: dict[str, object] | None = None
        if self.theirs is not None:
            theirs = {
                "verdict": self.theirs.verdict,
                "label": self.their_label,
                "note": self.theirs.note,
                "by": self.theirs.person,
                "at": self.theirs.time,
                "seen": self.theirs.number,
            }
        return {
            "key": self.key,
            "record": self.record,
            "state": self.state,
            "why": self.why,
            "theirs": theirs,
            "seen": self.seen,
        }


def decide(
    database: Database,
    review_name: str,
    sent: Sequence[NewDecision],
    *,
    person: str,
    time: str,
    may_settle: bool = False,
) -> list[Result]:
    """Store decisions; each is judged alone.

    Args:
        sent: at most ``MOST``; those that name no action are one together.
        person: who decides.
        time: now, UTC.
        may_settle: whether the person may settle what two others see differently.
    Returns:
        A result of each, in their order.
    Raises:
        UsageError: there is no such review, or too many decisions were sent.
        ReviewClosedError: it is closed.
    """
    if len(sent) > MOST:
        raise UsageError(f"at most {MOST:,} decisions are taken at once, not {len(sent):,}")
    with database.transaction() as rows:
        action = _ReviewAction(rows, review_name, person, time)
        return action.decide(sent, may_settle=may_settle)


def undo(
    database: Database,
    review_name: str,
    *,
    person: str,
    time: str,
    redo: bool = False,
    key: str = "",
) -> list[Result]:
    """Take back the person's last action, or, with ``redo``, the last that was taken back.

    What another has changed since is left as it is, and said so.

    Args:
        key: of who may have to send it again: with the same one it is done once.
    Returns:
        A result for each record of the action; none where there is nothing to take back.
    Raises:
        UsageError: there is no such review.
        ReviewClosedError: it is closed.
    """
    with database.transaction() as rows:
        return _ReviewAction(rows, review_name, person, time).undo(redo=redo, key=key)


class _ReviewAction:
    """What one person does in a review at once, within one transaction."""

    def __init__(self, rows: Connection, review_name: str, person: str, time: str) -> None:
        self._rows, self._person, self._time = rows, person, time
        self._review = named_review(rows.execute, review_name)
        if self._review.state == CLOSED:
            raise ReviewClosedError(
                f"review '{review_name}' is closed", fix=f"alo review reopen {review_name}"
            )
        self._actions: dict[str, str] = {}  # what who sends calls them → ids
        self._touched: dict[int, StoredRecord] = {}
        self._new: list[Sequence[object]] = []  # until they are stored, their numbers are -1, -2, …

    def decide(self, sent: Sequence[NewDecision], *, may_settle: bool) -> list[Result]:
        places = [self._review.place_of(each.record) for each in sent]
        known = [at for at in places if at is not None]
        records = records_at(self._rows.execute, self._review.number, known)
        said = decisions_at(self._rows.execute, self._review.number, known)
        given = self._keys(sent)
        results: list[Result] = []
        labels = self._review.labels.meant
        for each, at in zip(sent, places, strict=True):
            record = None if at is None else records.get(at)
            if record is None:
                why = f"review '{self._review.name}' has no such record"
                results.append(_result(each, REFUSED, why=why))
                continue
            past = said.setdefault(record.at, [])
            if not each.key or is_odd(each.key) or len(each.key) > 200:
                results.append(_result(each, REFUSED, why="a decision needs a key, of one line"))
                continue
            if (before := given.get(each.key)) is not None:
                results.append(self._sent_again(each, before, record, past))
                continue
            if is_odd(each.note):
                results.append(_result(each, REFUSED, why="the note is no text"))
                continue
            outcome = judge(
                each, reviewed(record), past, labels, self._person, may_settle=may_settle
            )
            results.append(self._result_of(outcome, each, record, past))
            if isinstance(outcome, Save):
                given[each.key] = (record.at, each.verdict)
        return self._finish(results, said, "")

    def undo(self, *, redo: bool, key: str) -> list[Result]:
        actions = self._rows.execute(
            "SELECT action, undoes FROM review_actions WHERE review = ? AND person = ?"
            " ORDER BY number",
            (self._review.number, self._person),
        )
        if key:
            digest = hashlib.sha256(f"{self._person}\n{key}".encode("utf-8", "surrogatepass"))
            self._actions[""] = digest.hexdigest()[:32]
            if any(self._actions[""] == done for done, _ in actions):
                return []
        action = last_actions([(str(one), str(other)) for one, other in actions])[int(redo)]
        if not action:
            return []
        found = self._rows.execute(
            "SELECT at, number FROM decisions WHERE review = ? AND action = ? ORDER BY number DESC",
            (self._review.number, action),
        )
        places = {int(at) for at, _ in found}
        records = records_at(self._rows.execute, self._review.number, places)
        said = decisions_at(self._rows.execute, self._review.number, places)
        results = [
            self._take_back(records[int(at)], said[int(at)], int(number)) for at, number in found
        ]
        return self._finish(results, said, action)

    def _take_back(self, record: StoredRecord, past: list[Decision], number: int) -> Result:
        """Append what was said before a decision."""
        taken = next(each for each in past if each.number == number)
        own = [each for each in past if each.look == taken.look]
        before = own[: own.index(taken)]
        later = own[-1]
        sent = NewDecision(
            key=secrets.token_hex(8),
            record=self._review.record_id(record.at),
            verdict=before[-1].verdict if before else RESET,
            note=before[-1].note if before else "",
        )
        if later.number != number and later.person != self._person:
            return _result(
                sent,
                REFUSED,
                why=f"{later.person} has decided on it since",
                theirs=later,
                their_label=self._review.labels.name_of(later.label),
                seen=later.number,
            )
        label = before[-1].label if before else None
        return self._append(sent, record, past, Save(label, taken.look))

    def _result_of(
        self, outcome: Outcome, sent: NewDecision, record: StoredRecord, past: list[Decision]
    ) -> Result:
        if isinstance(outcome, Save):
            return self._append(sent, record, past, outcome)
        if isinstance(outcome, Conflict):
            return _result(
                sent,
                CONFLICT,
                why=f"{outcome.theirs.person} has decided otherwise",
                theirs=outcome.theirs,
                their_label=self._review.labels.name_of(outcome.theirs.label),
                seen=outcome.theirs.number,
            )
        if isinstance(outcome, Refuse):
            return _result(sent, REFUSED, why=outcome.why)
        return self._unchanged(sent, record, past)

    def _append(
        self, sent: NewDecision, record: StoredRecord, past: list[Decision], save: Save
    ) -> Result:
        values = (
            self._review.number,
            sent.key,
            record.at,
            sent.verdict,
            save.label,
            sent.note,
            self._person,
            self._time,
            save.look,
            self._action_id(sent.action),
        )
        self._new.append(values)
        decision = Decision(
            number=-len(self._new),
            verdict=sent.verdict,
            label=save.label,
            note=sent.note,
            person=self._person,
            time=self._time,
            look=save.look,
        )
        past.append(decision)
        self._touched[record.at] = record
        return _result(sent, SAVED, seen=decision.number)

    def _sent_again(
        self,
        sent: NewDecision,
        before: tuple[int, str],
        record: StoredRecord,
        past: Sequence[Decision],
    ) -> Result:
        if before != (record.at, sent.verdict):
            return _result(sent, REFUSED, why=f"the key '{sent.key}' was another decision's")
        return self._unchanged(sent, record, past)

    def _unchanged(
        self, sent: NewDecision, record: StoredRecord, past: Sequence[Decision]
    ) -> Result:
        state = state_of(reviewed(record), past, self._person)
        return _result(sent, UNCHANGED, seen=state.seen)

    def _keys(self, sent: Sequence[NewDecision]) -> dict[str, tuple[int, str]]:
        """Those of the keys that this person sent before, with the record and the verdict."""
        found: dict[str, tuple[int, str]] = {}
        keys = [each.key for each in sent if not is_odd(each.key)]
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            rows = self._rows.execute(
                "SELECT key, at, verdict FROM decisions"  # noqa: S608 - marks alone
                f" WHERE review = ? AND person = ? AND key IN ({marks(part)})",
                (self._review.number, self._person, *part),
            )
            found.update((str(key), (int(at), str(verdict))) for key, at, verdict in rows)
        return found

    def _finish(
        self, results: Sequence[Result], said: dict[int, list[Decision]], undoes: str
    ) -> list[Result]:
        """Store all; what was touched gets its state; the action is one that can be taken back."""
        numbers = self._store()
        self._store_states(said)
        if undoes:
            self._action_id("")  # also one that nothing was left of to take back
        for action in self._actions.values():
            self._rows.execute(
                "INSERT INTO review_actions (review, action, person, undoes) VALUES (?, ?, ?, ?)",
                (self._review.number, action, self._person, undoes),
            )

        return [_numbered(each, numbers) for each in results]

    def _store(self) -> list[int]:
        """Append the new decisions; returns their numbers."""
        found: dict[str, int] = {}
        for start in range(0, len(self._new), ROWS):
            part = self._new[start : start + ROWS]
            rows = self._rows.execute(
                "INSERT INTO decisions (review, key, at, verdict, label, note, person, time, look,"  # noqa: S608 - marks alone
                f" action) VALUES {_marks_of_rows(part)} RETURNING key, number",
                [value for each in part for value in each],
            )
            found.update((str(key), int(number)) for key, number in rows)
        return [found[str(key)] for _, key, *_ in self._new]

    def _store_states(self, said: Mapping[int, Sequence[Decision]]) -> None:
        """What was touched gets its state; what was in nobody's queue was looked up by hand."""
        states: list[Sequence[object]] = []
        for at, record in self._touched.items():
            now = state_of(reviewed(record), said[at])
            states.append((at, now.state, now.label))
        for start in range(0, len(states), ROWS):
            part = states[start : start + ROWS]
            self._rows.execute(
                f"WITH now (at, state, label) AS (VALUES {_marks_of_rows(part)})"  # noqa: S608 - marks alone
                " UPDATE review_records SET state = now.state, label = now.label,"
                " source = COALESCE(review_records.source, ?)"
                " FROM now WHERE review_records.review = ? AND review_records.at = now.at",
                [*(value for each in part for value in each), PICKED, self._review.number],
            )

    def _action_id(self, name: str) -> str:
        return self._actions.setdefault(name, secrets.token_hex(8))


def _marks_of_rows(rows: Sequence[Sequence[object]]) -> str:
    """The place of each value of some rows."""
    return ", ".join([f"({marks(rows[0])})"] * len(rows))


def _numbered(result: Result, numbers: Sequence[int]) -> Result:
    """With the numbers that decisions have got; also of one that another of the request is of."""
    theirs = result.theirs
    if theirs is not None and theirs.number < 0:
        theirs = replace(theirs, number=numbers[-theirs.number - 1])
    seen = result.seen
    if seen is not None and seen < 0:
        seen = numbers[-seen - 1]
    if seen == result.seen and theirs is result.theirs:
        return result
    return replace(result, seen=seen, theirs=theirs)


def _result(
    sent: NewDecision,
    state: str,
    *,
    why: str = "",
    theirs: Decision | None = None,
    their_label: str | None = None,
    seen: int | None = None,
) -> Result:
    return Result(
        key=sent.key,
        record=sent.record,
        state=state,
        why=why,
        theirs=theirs,
        their_label=their_label,
        seen=seen,
    )
