"""Decisions in both databases: none is lost, doubled, or written over another's unseen."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import OpenDatabase
from tests.support.waiting import PATIENCE_S

from alo.database.connection import Database
from alo.errors import ReviewClosedError, UsageError
from alo.review.deciding import (
    MOST,
    Result,
    decide,
    undo,
)
from alo.review.decisions import NewDecision, last_actions
from alo.review.reviews import Reviews
from alo.review.rows import CLOSED

from .conftest import MakeReview

NAME = "patients"


class People:
    """Who decides in one review."""

    def __init__(self, database: Database) -> None:
        self.database, self.count = database, 0

    def say(
        self,
        person: str,
        record: str,
        verdict: str = "accept",
        label: str | None = None,
        *,
        key: str = "",
        seen: int | str | None = "now",
        note: str = "",
    ) -> Result:
        self.count += 1
        sent = self.new(person, record, verdict, label, key=key, seen=seen, note=note)
        (result,) = decide(self.database, NAME, [sent], person=person, time=f"t{self.count}")
        return result

    def new(
        self,
        person: str,
        record: str,
        verdict: str = "accept",
        label: str | None = None,
        *,
        key: str = "",
        seen: int | str | None = "now",
        note: str = "",
    ) -> NewDecision:
        if seen == "now":
            seen = self.item(record, person)["seen"]  # type: ignore[assignment]
        assert not isinstance(seen, str)
        return NewDecision(
            key=key or f"k{self.count}{record}",
            record=record,
            verdict=verdict,
            label=label,
            seen=seen,
            note=note,
        )

    def item(self, record: str, person: str | None = None) -> dict[str, object]:
        reviews = Reviews(self.database)
        return reviews.item(reviews.get(NAME), record, person).to_json()

    def undo(self, person: str, *, redo: bool = False) -> list[Result]:
        return undo(self.database, NAME, person=person, time="later", redo=redo)


@pytest.fixture
def people(database: Database, make_review: MakeReview) -> People:
    make_review()
    return People(database)


def test_a_decision_is_stored_with_who_and_when(people: People) -> None:
    result = people.say("ada", "run-a:1", "change", "bad", note="한글 <b>")

    item = people.item("run-a:1")
    assert (result.state, result.seen) == ("saved", item["seen"])
    assert (item["state"], item["label"], item["by"], item["at"], item["note"]) == (
        "changed",
        "bad",
        "ada",
        "t1",
        "한글 <b>",
    )


def test_the_same_decision_sent_fifty_times_is_one(people: People) -> None:
    sent = people.new("ada", "run-a:1", key="same", seen=None)

    states = [
        decide(people.database, NAME, [sent], person="ada", time="t")[0].state for _ in range(50)
    ]

    assert states == ["saved", *["unchanged"] * 49]
    assert people.database.read("SELECT count(*) FROM decisions")[0][0] == 1


def test_a_key_that_names_two_decisions_is_refused_the_second_time(people: People) -> None:
    sent = [people.new("ada", "run-a:1", verdict, key="k") for verdict in ("accept", "flag")]

    results = decide(people.database, NAME, sent, person="ada", time="t")

    assert [each.state for each in results] == ["saved", "refused"]
    assert "another decision's" in results[1].why
    assert people.item("run-a:1")["state"] == "accepted"


def test_keys_of_two_people_are_their_own(people: People) -> None:
    assert people.say("ada", "run-a:1", key="1").state == "saved"
    assert people.say("bo", "run-a:2", key="1").state == "saved"
    assert people.say("bo", "run-a:3", key="1").state == "refused"


def test_another_persons_word_is_not_overwritten_unseen(people: People) -> None:
    people.say("ada", "run-a:1", "change", "bad")

    reported = people.say("bo", "run-a:1", "change", "good", seen=None).to_json()

    assert reported["state"] == "conflict"
    theirs = reported["theirs"]
    assert isinstance(theirs, dict)
    assert (theirs["label"], theirs["by"]) == ("bad", "ada")
    assert people.item("run-a:1")["label"] == "bad"


def test_two_within_one_moment_are_one_saved_and_one_conflict(
    open_database: OpenDatabase, make_review: MakeReview
) -> None:
    make_review()
    everyone = [People(open_database()) for _ in range(6)]
    begin, results = threading.Barrier(6), list[Result]()

    def say(number: int, one: People) -> None:
        begin.wait()
        label = "good" if number % 2 else "bad"
        results.append(one.say(f"p{number}", "run-a:1", "change", label, seen=None))

    threads = [threading.Thread(target=say, args=each) for each in enumerate(everyone)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(each.state for each in results) == [
        "conflict", "conflict", "conflict", "saved", "unchanged", "unchanged",
    ]  # fmt: skip


TWO = """
import sys
from pathlib import Path
from alo.database.opening import open_database
from alo.layout import Workspace
from alo.review.deciding import decide
from alo.review.decisions import NewDecision

database = open_database(Workspace(Path(sys.argv[1])), sys.argv[2])
print("ready", flush=True)
input()
sent = [
    NewDecision(key=f"k{at}", record=f"run-a:{at}", verdict="change", label=sys.argv[3])
    for at in range(5)
]
for each in sent:
    (result,) = decide(database, "patients", [each], person=sys.argv[3], time="t")
    print(result.state, flush=True)
"""


def test_two_processes_that_decide_at_once_never_write_over_each_other(
    people: People, tmp_path: Path, database_url: str
) -> None:
    both = [
        subprocess.Popen(
            [sys.executable, "-c", TWO, str(tmp_path), database_url, label],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for label in ("good", "bad")
    ]
    for each in both:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"

    for each in both:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    reported = [each.communicate(timeout=PATIENCE_S)[0].split() for each in both]

    assert [sorted(pair) for pair in zip(*reported, strict=True)] == [["conflict", "saved"]] * 5
    assert people.database.read("SELECT count(*) FROM decisions")[0][0] == 5


def test_a_label_that_was_renamed_meanwhile_is_still_the_one_that_was_meant(
    people: People,
) -> None:
    sent = people.new("ada", "run-a:1", "change", "bad")
    Reviews(people.database).change_labels(NAME, lambda labels: labels.rename("bad", "poor"))

    (result,) = decide(people.database, NAME, [sent], person="ada", time="t")

    assert (result.state, people.item("run-a:1")["label"]) == ("saved", "poor")


def test_the_order_is_by_number_and_not_by_a_clock_that_is_wrong_by_a_day(
    people: People,
) -> None:
    for verdict, time in (("flag", "2026-01-02T00:00:00Z"), ("accept", "2026-01-01T00:00:00Z")):
        sent = people.new("ada", "run-a:1", verdict, key=verdict)
        decide(people.database, NAME, [sent], person="ada", time=time)

    assert people.item("run-a:1")["state"] == "accepted"
    people.undo("ada")
    assert people.item("run-a:1")["state"] == "flagged"


def test_each_of_many_is_judged_alone_and_answered_in_order(people: People) -> None:
    sent = [
        people.new("ada", "run-a:0"),
        NewDecision(key="x", record="run-z:9", verdict="accept"),
        NewDecision(key="y", record="run-a:1", verdict="change", label="odd"),
        NewDecision(key="", record="run-a:2", verdict="accept"),
        NewDecision(key="z", record="run-a:2", verdict="accept", note="\ud800"),
        NewDecision(key="w", record="run-a:2", verdict="accept", note="\0"),
        people.new("ada", "run-b:4", "skip"),
    ]

    results = decide(people.database, NAME, sent, person="ada", time="t")

    assert [each.state for each in results] == ["saved", *["refused"] * 5, "saved"]
    assert [each.why for each in results if each.state == "refused"] == [
        "review 'patients' has no such record",
        "no label is called 'odd'",
        "a decision needs a key, of one line",
        "the note is no text",
        "the note is no text",
    ]


def test_a_request_of_keys_that_no_database_could_hold_is_answered(people: People) -> None:
    sent = [NewDecision(key=key, record="run-a:0", verdict="accept") for key in ("\ud800", "a\0")]

    results = decide(people.database, NAME, sent, person="ada", time="t")

    assert [each.state for each in results] == ["refused", "refused"]


def test_a_record_outside_of_the_queue_that_someone_decides_is_picked(people: People) -> None:
    queued = [
        each.id for each in Reviews(people.database).items(Reviews(people.database).get(NAME),
        queue_only=True)
    ]  # fmt: skip
    outside = next(f"run-a:{n}" for n in range(5) if f"run-a:{n}" not in queued)

    people.say("ada", outside)
    people.say("ada", queued[0])

    assert people.item(outside)["source"] == "picked"
    assert people.item(queued[0])["source"] == "random"


def test_more_than_ten_thousand_at_once_and_a_closed_review_are_refused(people: People) -> None:
    sent = [NewDecision(key="k", record="run-a:0", verdict="accept")]
    with pytest.raises(UsageError, match="at most 10,000"):
        decide(people.database, NAME, sent * (MOST + 1), person="ada", time="t")
    with pytest.raises(UsageError, match="no review 'other'"):
        decide(people.database, "other", sent, person="ada", time="t")

    Reviews(people.database).set_state(NAME, CLOSED)

    with pytest.raises(ReviewClosedError, match="closed"):
        decide(people.database, NAME, sent, person="ada", time="t")
    with pytest.raises(ReviewClosedError, match="closed"):
        people.undo("ada")


def test_undo_takes_back_the_persons_last_action_and_redo_brings_it_again(people: People) -> None:
    people.say("ada", "run-a:1", "change", "bad")
    people.say("ada", "run-a:1", "accept")

    people.undo("ada")
    assert people.item("run-a:1")["label"] == "bad"
    people.undo("ada")
    assert people.item("run-a:1")["state"] == "undecided"
    assert people.undo("ada") == []
    people.undo("ada", redo=True)
    assert people.item("run-a:1")["label"] == "bad"
    people.undo("ada", redo=True)
    assert people.item("run-a:1")["state"] == "accepted"
    assert people.undo("ada", redo=True) == []


def test_a_bulk_action_is_taken_back_as_one(people: People) -> None:
    sent = [people.new("ada", f"run-a:{n}", "change", "bad") for n in range(5)]
    decide(people.database, NAME, sent, person="ada", time="t")

    results = people.undo("ada")

    assert [each.state for each in results] == ["saved"] * 5
    assert {people.item(f"run-a:{n}")["state"] for n in range(5)} == {"undecided"}


def test_what_another_has_changed_since_is_not_taken_back_and_it_is_said(people: People) -> None:
    sent = [people.new("ada", f"run-a:{n}", "change", "bad") for n in range(2)]
    decide(people.database, NAME, sent, person="ada", time="t")
    people.say("bo", "run-a:0", "accept")

    results = {each.record: each for each in people.undo("ada")}

    assert results["run-a:0"].state == "refused"
    assert "bo has decided on it since" in results["run-a:0"].why
    assert people.item("run-a:0")["by"] == "bo"
    assert people.item("run-a:1")["state"] == "undecided"


def test_nobody_takes_back_what_another_did(people: People) -> None:
    people.say("ada", "run-a:1")

    assert people.undo("bo") == []


def test_a_new_decision_ends_what_could_be_brought_again(people: People) -> None:
    people.say("ada", "run-a:1")
    people.undo("ada")
    people.say("ada", "run-a:2")

    assert people.undo("ada", redo=True) == []


@given(acts=st.lists(st.sampled_from(["do", "undo", "redo"]), max_size=30))
def test_undo_and_redo_are_as_in_any_editor(acts: Sequence[str]) -> None:
    actions: list[tuple[str, str]] = []
    done: list[int] = []
    undone: list[int] = []
    carries: dict[str, int] = {}  # what an action stands for
    for number, act in enumerate(acts):
        action = f"a{number}"
        if act == "do":
            actions.append((action, ""))
            done.append(number)
            undone.clear()
            carries[action] = number
            continue
        target = last_actions(actions)[int(act == "redo")]
        source, goal = (done, undone) if act == "undo" else (undone, done)
        assert bool(target) == bool(source)
        if target:
            assert carries[target] == source[-1]
            goal.append(source.pop())
            actions.append((action, target))
            carries[action] = carries[target]


def test_what_a_request_says_twice_of_a_record_differs_by_its_own_number(people: People) -> None:
    sent = [
        people.new("ada", "run-a:0", "change", "good", key="one"),
        people.new("ada", "run-a:1", "change", "good", key="two"),
        people.new("ada", "run-a:0", "change", "bad", key="three"),
    ]

    saved, _, conflict = decide(people.database, NAME, sent, person="ada", time="now")

    assert saved.seen == people.item("run-a:0")["seen"]
    assert conflict.state == "conflict"
    assert conflict.theirs is not None
    assert conflict.theirs.number == conflict.seen == saved.seen
