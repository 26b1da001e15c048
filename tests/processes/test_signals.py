from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from textwrap import dedent

import pytest

from alo.processes.signals import SIGNALS, SignalGuard, Signalled, handled_by

from ..support.waiting import PATIENCE_S


def send(number: int) -> None:
    """A signal to this process, which has been taken when this returns."""
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_raised_where_the_process_is(number: signal.Signals) -> None:
    with pytest.raises(Signalled) as caught, SignalGuard().installed():
        send(number)

    assert caught.value.number == number
    assert str(caught.value) == number.name
    assert isinstance(caught.value, KeyboardInterrupt)


def test_the_handlers_from_before_are_back_afterwards() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]

    with SignalGuard().installed():
        assert [signal.getsignal(number) for number in SIGNALS] != before

    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_signal_is_only_noted_while_things_are_put_back() -> None:
    guard = SignalGuard()
    done = []

    with guard.installed():
        with guard.held():
            with guard.held():
                send(signal.SIGTERM)
            send(signal.SIGTERM)
            done.append("put back")
        with pytest.raises(Signalled):
            guard.raise_if_received()

    assert done == ["put back"]
    assert guard.received == signal.SIGTERM


def test_afterwards_signals_are_raised_again() -> None:
    guard = SignalGuard()

    with guard.installed():
        with guard.held():
            pass
        with pytest.raises(Signalled):
            send(signal.SIGINT)


def test_a_signal_that_someone_has_swallowed_is_raised_once_more() -> None:
    guard = SignalGuard()

    with guard.installed():
        with suppress(BaseException):  # as assets do
            send(signal.SIGINT)
        with pytest.raises(Signalled):
            guard.raise_if_received()


def test_without_a_signal_nothing_is_raised() -> None:
    guard = SignalGuard()

    with guard.installed():
        guard.raise_if_received()

    assert guard.received is None


def test_a_handler_that_an_asset_has_left_there_does_not_stay() -> None:
    guard = SignalGuard()

    with guard.installed():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        guard.raise_if_received()
        with pytest.raises(Signalled):
            send(signal.SIGTERM)


@pytest.mark.parametrize("number", SIGNALS)
def test_inside_a_block_signals_go_to_its_handler(number: signal.Signals) -> None:
    received: list[int] = []
    before = [signal.getsignal(each) for each in SIGNALS]

    with handled_by(lambda number, frame: received.append(number)):
        signal.raise_signal(number)

    assert received == [number]
    assert [signal.getsignal(each) for each in SIGNALS] == before


def test_a_handler_of_a_block_is_gone_also_when_that_fails() -> None:
    before = [signal.getsignal(each) for each in SIGNALS]

    with pytest.raises(ZeroDivisionError), handled_by(lambda number, frame: None):
        divmod(1, 0)

    assert [signal.getsignal(each) for each in SIGNALS] == before


def test_what_was_ignored_before_still_is() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    guard = SignalGuard()
    try:
        with guard.installed():
            send(signal.SIGINT)
            guard.raise_if_received()
    finally:
        signal.signal(signal.SIGINT, before)

    assert guard.received is None


def test_other_threads_leave_the_handlers_alone() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    seen: list[object] = []

    def run() -> None:
        guard = SignalGuard()
        with guard.installed(), guard.held():
            seen.extend(signal.getsignal(number) for number in SIGNALS)
            guard.raise_if_received()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    assert seen == before


@pytest.mark.parametrize(
    "work",
    ["time.sleep(600)", "sum(range(10**10))"],
    ids=["asleep", "in C, which looks for no signal"],
)
def test_a_pool_of_processes_is_ended_without_a_word(work: str) -> None:
    code = f"""
        import multiprocessing, time
        from alo.processes.signals import SignalGuard
        begun = multiprocessing.get_context("fork").Event()
        def hold():
            begun.set()
            {work}
        with SignalGuard().installed():
            with multiprocessing.get_context("fork").Pool(2) as pool:
                assert pool.map(abs, [-1, 2]) == [1, 2]
                pool.apply_async(hold)
                begun.wait()
        print("ended")
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(code)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("ended\n", "")


def test_a_fork_gets_signals_as_before_and_its_parent_as_now() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]

    with SignalGuard().installed(), SignalGuard().installed():
        child = os.fork()
        if child == 0:
            os._exit([signal.getsignal(number) for number in SIGNALS] != before)
        _, status = os.waitpid(child, 0)
        with pytest.raises(Signalled):
            send(signal.SIGTERM)

    assert os.waitstatus_to_exitcode(status) == 0
    assert [signal.getsignal(number) for number in SIGNALS] == before
