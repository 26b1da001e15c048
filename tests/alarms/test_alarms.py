"""Alarms of services that run: a crossing is told once, by whichever service, also after kills."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alo.alarms.alarms import Alarms
from alo.alarms.ledger import (
    DELIVERED,
    FAILED,
    UNSENT,
    change_ledger,
    ledger_path,
    read_ledger,
)
from alo.alarms.watch import Change, Window
from alo.claims import take
from alo.events.types import LogLine
from alo.layout import Workspace
from alo.plan.model import Alarm

from ..conftest import Heard
from ..support.waiting import end_all, wait_until
from .conftest import Receiver

QUICK = (0.01, 0.01, 0.01)
LOW, HIGH = {"score": 0.1, "result": "a"}, {"score": 0.9, "result": "a"}
Make = Callable[..., Alarms]


@pytest.fixture
def make(workspace: Workspace, heard: Heard) -> Iterator[Make]:
    """The alarms of one service, started; ended after the test."""
    made: list[Alarms] = []

    def start(alarm: Alarm, **options: object) -> Alarms:
        one = Alarms(workspace, alarm, "churn", "s3cret", heard, pauses_s=QUICK, **options)  # type: ignore[arg-type]
        made.append(one)
        one.start()
        return one

    yield start
    for one in made:
        one.stop()


def see(alarms: Alarms, *summaries: dict[str, object]) -> None:
    for summary in summaries:
        alarms.saw("run", summary, has_failed=False)


def said(heard: Heard) -> list[str]:
    return [line.text for line in heard.of(LogLine)]


def test_a_crossing_is_noted_reported_and_called_once(
    workspace: Workspace, make: Make, receiver: Receiver, heard: Heard
) -> None:
    alarms = make(Alarm(0.5, url=receiver.url))

    see(alarms, HIGH, LOW, LOW, HIGH)

    wait_until(lambda: len(receiver.received) == 2)
    raised, ended = (got.body for got in receiver.received)
    assert (raised["state"], raised["value"], raised["limit"]) == ("raised", 0.1, 0.5)
    assert (ended["state"], ended["value"], ended["count"]) == ("ended", 0.9, 1)
    assert (ended["alarm"], ended["project"]) == ("score_below", "churn")
    wait_until(lambda: not read_ledger(workspace).waiting)
    assert [each.delivery for each in read_ledger(workspace).crossings] == [DELIVERED] * 2
    assert any("alarm score_below raised: 0.1, limit 0.5" in line for line in said(heard))
    assert any("alarm score_below ended" in line for line in said(heard))


def test_a_server_that_is_away_is_asked_again_with_the_same_id(
    workspace: Workspace, make: Make, receiver: Receiver
) -> None:
    receiver.answers = [503, 500]

    see(make(Alarm(0.5, url=receiver.url)), LOW)

    wait_until(lambda: read_ledger(workspace).crossings and not read_ledger(workspace).waiting)
    assert len({got.raw for got in receiver.received}) == 1
    assert len(receiver.received) == 3
    (crossing,) = read_ledger(workspace).crossings
    assert (crossing.delivery, crossing.tries) == (DELIVERED, 3)


@pytest.mark.parametrize(("status", "calls"), [(503, len(QUICK) + 1), (404, 1), (302, 1)])
def test_a_call_is_given_up_counted_and_reported(
    workspace: Workspace, make: Make, receiver: Receiver, heard: Heard, status: int, calls: int
) -> None:
    receiver.answers = [status] * 9

    see(make(Alarm(0.5, url=receiver.url)), LOW)

    wait_until(lambda: read_ledger(workspace).failed_total)
    assert len(receiver.received) == calls
    assert read_ledger(workspace).crossings[0].delivery == FAILED
    assert read_ledger(workspace).failed_total == {"score_below": 1}
    assert any(f"was not delivered: it answered {status}" in line for line in said(heard))


def test_without_anyone_to_tell_it_is_noted(workspace: Workspace, make: Make) -> None:
    see(make(Alarm(0.5)), LOW)

    wait_until(lambda: read_ledger(workspace).raised)
    assert read_ledger(workspace).crossings[0].delivery == UNSENT


def test_two_services_of_a_project_see_one_crossing_and_call_once(
    workspace: Workspace, make: Make, receiver: Receiver
) -> None:
    alarm = Alarm(0.5, 40, 0.5, url=receiver.url)
    one, other = make(alarm), make(alarm)

    for _ in range(20):  # none of them alone sees so many
        see(one, LOW)
        see(other, LOW)
    wait_until(lambda: receiver.received)
    for _ in range(40):
        see(one, HIGH)
        see(other, HIGH)

    wait_until(lambda: len(receiver.received) == 2)
    wait_until(lambda: len(read_ledger(workspace).window.scores) == 40)
    assert [got.body["state"] for got in receiver.received] == ["raised", "ended"]


def test_a_service_that_ends_takes_in_and_tells_what_has_come(
    workspace: Workspace, make: Make, receiver: Receiver
) -> None:
    alarms = make(Alarm(0.5, url=receiver.url))

    see(alarms, LOW)
    alarms.stop()

    assert [got.body["state"] for got in receiver.received] == ["raised"]
    assert read_ledger(workspace).waiting == ()


def test_an_earlier_services_window_continues(workspace: Workspace, make: Make) -> None:
    alarm = Alarm(0.5, 4, 1.0)
    first = make(alarm)
    see(first, LOW, LOW)
    first.stop()

    see(make(alarm), LOW, LOW)

    wait_until(lambda: read_ledger(workspace).raised)


def test_a_command_that_is_missing_is_reported_at_the_start_and_counted(
    workspace: Workspace, make: Make, heard: Heard
) -> None:
    alarms = make(Alarm(0.5, command="./gone.sh"))
    assert any("the alarm's command cannot be started" in line for line in said(heard))

    see(alarms, LOW)

    wait_until(lambda: read_ledger(workspace).failed_total)


def test_the_class_mix_is_compared_with_that_of_the_train_run(
    workspace: Workspace, make: Make, heard: Heard
) -> None:
    alarms = make(Alarm(class_mix=0.2, of_last=20))

    for _ in range(20):
        see(alarms, HIGH)

    wait_until(lambda: len(read_ledger(workspace).window.mixes) == 20)
    assert any("no class mix is known of the train run run" in line for line in said(heard))
    assert read_ledger(workspace).raised == {}


def test_a_file_that_is_damaged_is_reported_and_stays(
    workspace: Workspace, make: Make, heard: Heard
) -> None:
    ledger_path(workspace).parent.mkdir()
    ledger_path(workspace).write_text("{")

    see(make(Alarm(0.5)), LOW)

    wait_until(lambda: any("alarms cannot be noted" in line for line in said(heard)))
    assert ledger_path(workspace).read_text() == "{"
    ledger_path(workspace).unlink()
    wait_until(lambda: ledger_path(workspace).exists() and read_ledger(workspace).raised)


# A service of its own process, to be killed: it raises an alarm, and waits at a line.
KILLED = """\
import sys, time
from pathlib import Path
import alo.alarms.alarms as module
from alo.alarms.alarms import Alarms
from alo.layout import Workspace
from alo.plan.model import Alarm

home, url, where = sys.argv[1:]

def wait_for_the_end(*of_call):
    print("here", flush=True)
    time.sleep(600)

if where == "before the call":
    module.call = wait_for_the_end
alarms = Alarms(Workspace(Path(home)), Alarm(0.5, url=url), "churn", "", print)
alarms.start()
alarms.saw("run", {"score": 0.1}, has_failed=False)
time.sleep(600)
"""


@pytest.mark.parametrize(("where", "calls"), [("before the call", 1), ("in the call", 2)])
def test_a_kill_between_note_and_delivery_is_made_up_for_with_the_same_id(
    workspace: Workspace, make: Make, receiver: Receiver, where: str, calls: int
) -> None:
    words = [sys.executable, "-c", KILLED, str(workspace.home), receiver.url, where]
    killed = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        if where == "in the call":
            receiver.gate.clear()
            wait_until(lambda: receiver.received)
        wait_until(
            lambda: read_ledger(workspace).waiting and read_ledger(workspace).waiting[0].tries
        )
    finally:
        killed.send_signal(signal.SIGKILL)
        end_all(killed)
    receiver.gate.set()
    (noted,) = read_ledger(workspace).waiting

    make(Alarm(0.5, url=receiver.url))

    wait_until(lambda: not read_ledger(workspace).waiting)
    assert [got.body["id"] for got in receiver.received] == [noted.id] * calls
    assert read_ledger(workspace).crossings[0].delivery == DELIVERED


# A service that ends by itself at the n-th line that can be seen from outside: before or after it
# writes, and before or after it calls.
ENDING = """\
import os, sys
from pathlib import Path
import alo.alarms.alarms as module
import alo.alarms.ledger as ledger
from alo.alarms.alarms import Alarms
from alo.layout import Workspace
from alo.plan.model import Alarm

home, url, last = sys.argv[1], sys.argv[2], int(sys.argv[3])
seen = 0

def line():
    global seen
    seen += 1
    if seen == last:
        os._exit(9)

def watched(work):
    def call(*words, **options):
        line()
        done = work(*words, **options)
        line()
        return done
    return call

ledger.write_whole, module.call = watched(ledger.write_whole), watched(module.call)
alarms = Alarms(Workspace(Path(home)), Alarm(0.5, url=url), "churn", "", print)
alarms.start()
alarms.saw("run", {"score": 0.1}, has_failed=False)
alarms.stop()
"""


def test_whichever_line_a_service_ends_at_a_crossing_has_one_id_and_is_reported(
    tmp_path: Path, heard: Heard, receiver: Receiver
) -> None:
    for line in range(1, 20):
        workspace = Workspace(tmp_path / str(line))
        workspace.home.mkdir()
        receiver.received.clear()
        words = [sys.executable, "-c", ENDING, str(workspace.home), receiver.url, str(line)]
        status = subprocess.run(words, stdout=subprocess.DEVNULL, check=False).returncode

        later = Alarms(workspace, Alarm(0.5, url=receiver.url), "churn", "", heard)
        later.start()
        see(later, LOW)  # the next request of the same kind
        later.stop()

        assert len({got.body["id"] for got in receiver.received}) == 1, line
        assert 1 <= len(receiver.received) <= 2, line
        assert read_ledger(workspace).raised_total == {"score_below": 1}, line
        assert read_ledger(workspace).waiting == (), line
        if status == 0:  # it had no more lines
            assert line > 6
            return
    raise AssertionError("it has no end")


def test_a_service_does_not_call_while_another_one_does(
    workspace: Workspace, make: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarm = Alarm(0.5, url=receiver.url)
    receiver.gate.clear()
    see(make(alarm), LOW)
    wait_until(lambda: receiver.received)
    claims: list[object] = []

    def take_seen(*of_claim: object) -> object:
        claims.append(take(*of_claim))  # type: ignore[arg-type]
        return claims[-1]

    monkeypatch.setattr("alo.alarms.alarms.take", take_seen)
    make(alarm)  # which finds that someone is still to be told
    wait_until(lambda: claims)

    assert claims[0] is None
    assert len(receiver.received) == 1
    receiver.gate.set()
    wait_until(lambda: not read_ledger(workspace).waiting)
    assert len(receiver.received) == 1


def test_what_waits_outlives_the_internal_folder(
    workspace: Workspace, make: Make, receiver: Receiver
) -> None:
    change = Change("score_below", "raised", 0.1, 0.5, 1)
    change_ledger(
        workspace, lambda now: now.with_changes([change], Window(), "churn", "", is_sent=True)
    )

    make(Alarm(0.5, url=receiver.url))  # there is no .alo/ at all

    wait_until(lambda: len(receiver.received) == 1)


def test_on_a_full_disk_a_crossing_is_not_called_before_it_is_noted_and_not_lost(
    workspace: Workspace,
    make: Make,
    receiver: Receiver,
    heard: Heard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alarms = make(Alarm(0.5, url=receiver.url))
    room = monkeypatch.context()
    with room as patched:

        def full(*of_write: object, **options: object) -> None:
            raise OSError(28, "No space left on device")

        patched.setattr("alo.alarms.ledger.write_whole", full)
        see(alarms, LOW)
        wait_until(lambda: any("No space left" in line for line in said(heard)))
        assert receiver.received == []

    wait_until(lambda: receiver.received)
    wait_until(lambda: not read_ledger(workspace).waiting)
    assert len(receiver.received) == 1


def test_a_call_that_cannot_be_noted_is_not_repeated(
    workspace: Workspace, make: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarms = make(Alarm(0.5, url=receiver.url))
    receiver.gate.clear()
    see(alarms, LOW)
    wait_until(lambda: receiver.received)
    with monkeypatch.context() as patched:
        tried: list[object] = []

        def full(*of_write: object, **options: object) -> None:
            tried.append(of_write)
            raise OSError(28, "No space left on device")

        patched.setattr("alo.alarms.ledger.write_whole", full)
        receiver.gate.set()
        wait_until(lambda: len(tried) >= 2)
        assert read_ledger(workspace).waiting

    wait_until(lambda: not read_ledger(workspace).waiting)
    assert len(receiver.received) == 1
