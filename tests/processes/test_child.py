"""A process of ours: its messages and prints arrive, and it ends with all that is known of how."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alo.events.types import Event, LogLine, Output
from alo.processes import child as child_module
from alo.processes.child import Child
from alo.processes.crash_report import Ending

from ..support.waiting import PATIENCE_S, wait_until

MODULE = """
import os, signal, sys, time
from pathlib import Path
from alo.engine.steps.process_main import MessageSender, process_of_ours, show_stacks_in
from alo.events.types import LogLine, Output
from alo.processes.wire import Inbox

def main():
    with process_of_ours() as connection:
        send = MessageSender(connection)
        show_stacks_in(Path(os.environ["STACKS"]))
        inbox, names = Inbox(), {**globals(), "send": send}
        while piece := connection.recv(1 << 16):
            for code in inbox.take(piece):
                exec(code, names)
"""
Start = Callable[[], Child]


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def start(tmp_path: Path, events: list[Event], monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """A process that does what it is sent."""
    (tmp_path / "does_as_told.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("STACKS", str(tmp_path / "stacks"))
    started: list[Child] = []

    def call() -> Child:
        started.append(Child("does_as_told", sys.executable, tmp_path / "stacks", events.append))
        return started[-1]

    yield call
    for process in started:
        process.end()
        process.wait()
        process.close()


def messages_of(process: Child, count: int) -> list[object]:
    found: list[object] = []
    while len(found) < count:
        messages, ended = process.poll(PATIENCE_S)
        found += messages
        assert not ended or len(found) == count
    return found


def end_of(process: Child) -> Ending:
    wait_until(lambda: process.poll(0.1)[1])
    return process.wait()[1]


@pytest.fixture(params=["told by the system", "looked for"])
def _each_way_of_watching(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "looked for":
        monkeypatch.setattr(child_module, "_pidfd", lambda pid: -1)


@pytest.mark.usefixtures("_each_way_of_watching")
def test_messages_arrive_in_order_and_events_go_to_the_listener(
    start: Start, events: list[Event]
) -> None:
    process = start()
    line = "LogLine(0.0, 'USER', 'INFO', 'a.py', 1, 'f', 'logged')"

    process.send(f"send(1); send({line}); send(['x' * 300_000]); send(Output('stdout', 'said'))")
    process.send("send('last'); sys.exit(7)")

    assert messages_of(process, 3) == [1, ["x" * 300_000], "last"]
    ending = end_of(process)
    assert ending.status == 7
    assert [type(event) for event in events] == [LogLine, Output]
    assert list(ending.last_lines)[-1] == "said"
    assert ending.peak_bytes > 1_000_000
    assert not process.is_alive


def test_what_is_printed_past_python_is_heard_whole(start: Start, events: list[Event]) -> None:
    process = start()

    process.send(
        "raw = '한'.encode(); os.write(1, raw[:2]); time.sleep(0.05); os.write(1, raw[2:])"
    )
    process.send("os.write(2, b'bad \\xff byte'); sys.exit(0)")
    end_of(process)

    def said(stream: str) -> str:
        found = (each for each in events if isinstance(each, Output) and each.stream == stream)
        return "".join(each.text for each in found)

    assert said("stdout") == "한"
    assert said("stderr") == "bad \ufffd byte"


def test_a_process_that_is_gone_is_sent_to_without_an_error(start: Start) -> None:
    process = start()
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: not process.is_alive)

    process.send("x" * 1_000_000)

    assert end_of(process).status == -signal.SIGKILL


def test_one_that_hangs_says_where_it_is_and_is_ended(start: Start) -> None:
    process = start()
    process.send("def waits_here(): send('begun'); time.sleep(600)\nwaits_here()")
    messages_of(process, 1)

    process.show_stacks()
    process.end()

    ending = process.wait()[1]
    assert ending.status is not None
    assert ending.status < 0
    assert "waits_here" in ending.stacks


def test_one_that_crashes_leaves_where_it_was(start: Start) -> None:
    process = start()
    process.send("def crashes(): os.kill(os.getpid(), signal.SIGSEGV)\ncrashes()")

    ending = end_of(process)

    assert ending.status == -signal.SIGSEGV
    assert "crashes" in ending.stacks


def test_once_nothing_more_comes_it_ends_by_itself(start: Start) -> None:
    process = start()
    process.send("send('ready')")
    messages_of(process, 1)

    process.hang_up()

    assert end_of(process).status == 0


def test_an_interpreter_that_is_not_there_leaves_nothing_open(
    tmp_path: Path, events: list[Event]
) -> None:
    before = len(os.listdir("/proc/self/fd"))

    with pytest.raises(FileNotFoundError):
        Child("x", str(tmp_path / "python"), tmp_path / "stacks", events.append)

    assert len(os.listdir("/proc/self/fd")) == before


def ready(process: Child) -> None:
    """There is something to read."""
    assert select.select([process.watched], [], [], PATIENCE_S)[0]


def test_messages_are_read_without_waiting(start: Start) -> None:
    process = start()
    assert process.read_now() == []

    process.send("send(1); send(2)")
    found: list[object] = []
    while len(found) < 2:
        ready(process)
        found += process.read_now() or []

    assert found == [1, 2]
    assert process.read_now() == []


@pytest.mark.parametrize(
    ("code", "heard", "reported"),
    [
        ("send.send_all([Output('stdout', 'said'), 1])", ["said"], [1]),
        ("os.write(1, b'printed'); time.sleep(600)", ["printed"], []),
    ],
    ids=["by Python", "past Python"],
)
def test_prints_are_left_to_who_may_wait_for_the_listener(
    start: Start, events: list[Event], code: str, heard: list[str], reported: list[object]
) -> None:
    process = start()

    process.send(code)
    ready(process)
    while (found := process.read_now()) is not None:
        assert not found
        ready(process)

    assert not events
    messages: list[object] = []
    while not (events and messages == reported):
        messages += process.poll(PATIENCE_S)[0]
    assert [event.text for event in events if isinstance(event, Output)] == heard


def test_the_end_is_left_to_who_may_wait_for_it(start: Start) -> None:
    process = start()

    process.send("sys.exit(3)")
    ready(process)
    while process.read_now() is not None:
        ready(process)

    assert end_of(process).status == 3


def test_without_word_of_its_end_there_is_nothing_to_watch(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "_pidfd", lambda pid: -1)

    assert start().watched == -1
