"""What is noted of alarms: read, changed, bounded; damaged or newer, nothing is overwritten."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from alo.alarms.ledger import (
    DELIVERED,
    FAILED,
    MOST_KEPT,
    MOST_WAITING,
    NOTHING,
    UNSENT,
    WAITING,
    Ledger,
    change_ledger,
    ledger_path,
    read_ledger,
)
from alo.alarms.watch import Change, Window
from alo.errors import HistoryError
from alo.layout import Workspace

RAISED = Change("failures", "raised", 0.5, 0.1, 20)
ENDED = Change("failures", "ended", 0.0, 0.1, 20)
WINDOW = Window((0.5, 0.25), (True, False), ({"a": 1.0},), "run")


def after(ledger: Ledger, *changes: Change, is_sent: bool = True) -> Ledger:
    return ledger.with_changes(changes, WINDOW, "p", "2026-01-01T00:00:00Z", is_sent=is_sent)


def test_what_is_noted_is_read_again(workspace: Workspace) -> None:
    assert read_ledger(workspace) == NOTHING

    noted = change_ledger(workspace, lambda now: after(now, RAISED))

    assert read_ledger(workspace) == noted
    assert noted.window == WINDOW
    (crossing,) = noted.waiting
    assert noted.raised == {"failures": crossing}
    assert noted.raised_total == {"failures": 1}


def test_each_crossing_has_an_id_of_its_own_and_keeps_it() -> None:
    both = after(NOTHING, RAISED, ENDED)

    assert len({each.id for each in both.crossings}) == 2
    tried = both.with_try(both.crossings[0].id)
    assert [each.id for each in tried.crossings] == [each.id for each in both.crossings]
    assert tried.crossings[0].tries == 1
    assert both.raised == {}


def test_what_a_call_has_come_to_is_noted_once() -> None:
    noted = after(NOTHING, RAISED, ENDED)
    first, second = (each.id for each in noted.crossings)

    noted = noted.with_call(first, DELIVERED).with_call(second, FAILED, "why")

    assert [each.delivery for each in noted.crossings] == [DELIVERED, FAILED]
    assert noted.waiting == ()
    assert noted.failed_total == {"failures": 1}
    assert noted.with_call(second, FAILED, "again") == noted
    assert noted.with_call("unknown", DELIVERED) == noted


def test_without_anyone_to_tell_nothing_waits() -> None:
    assert after(NOTHING, RAISED, is_sent=False).crossings[0].delivery == UNSENT
    waiting = after(NOTHING, RAISED)
    assert waiting.watching(["failures"], is_sent=False).waiting == ()
    assert waiting.watching(["failures"], is_sent=True) == waiting


def test_an_alarm_that_the_plan_has_no_more_is_not_raised() -> None:
    assert after(NOTHING, RAISED).watching(["class_mix"], is_sent=True).raised == {}


def test_no_list_grows_without_end() -> None:
    noted = NOTHING
    for _ in range(MOST_WAITING + MOST_KEPT):
        noted = after(noted, RAISED, ENDED)

    assert len(noted.waiting) == MOST_WAITING
    assert len(noted.crossings) == MOST_WAITING + MOST_KEPT
    assert noted.crossings[-1].delivery == WAITING
    assert noted.failed_total["failures"] == 2 * (MOST_WAITING + MOST_KEPT) - MOST_WAITING


def test_what_several_note_at_once_is_all_there(workspace: Workspace) -> None:
    with ThreadPoolExecutor(4) as threads:
        list(
            threads.map(
                lambda _: change_ledger(workspace, lambda now: after(now, RAISED)), range(20)
            )
        )

    assert read_ledger(workspace).raised_total == {"failures": 20}


@pytest.mark.parametrize(
    "content", [{"format": 2}, {"format": 1}, [], {"format": 1, "raised": 3}, "text"]
)
def test_what_is_damaged_or_newer_is_reported_and_stays(workspace: Workspace, content: Any) -> None:
    path = ledger_path(workspace)
    path.parent.mkdir()
    path.write_text(json.dumps(content))

    with pytest.raises(HistoryError, match=r"alarms\.json"):
        change_ledger(workspace, lambda now: after(now, RAISED))

    assert json.loads(path.read_text()) == content


def test_nothing_is_written_where_nothing_changes(workspace: Workspace) -> None:
    change_ledger(workspace, lambda now: now)

    assert not ledger_path(workspace).exists()
