"""The alarms of a running service: its requests are looked at, and its crossings reported.

No request waits for any of it. What came of requests is gathered, and taken in about once a second
by a thread, together with what other services of the project have seen; a second thread calls. Of
all services of a project one calls at a time, in the order of the crossings.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import lru_cache, partial
from typing import NamedTuple, TypeVar

from alo.alarms.call import USUAL, Limits, call, command_fault
from alo.alarms.ledger import (
    DELIVERED,
    FAILED,
    Crossing,
    Ledger,
    change_ledger,
    ledger_path,
    ledger_stamp,
    read_ledger,
)
from alo.alarms.train_run import train_mix
from alo.alarms.watch import RAISED, Change, Watch, outcome_of, watched_by
from alo.claims import take
from alo.errors import AloError
from alo.events.log_lines import info, warning
from alo.events.types import Listener
from alo.history.ids import utc_text
from alo.layout import Workspace
from alo.plan.model import Alarm

GATHER_S = 0.1  # so that a request's answer is on its way before anything else is done
EVERY_S = 1.0  # between two looks at what has come
COST = 50  # a look is followed by so many times what it took: no more than 2 % of a core
LOOK_S = 2.0  # at what other services have left to be delivered
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # between tries; after the last it is given up
STOP_S = 3.0  # for a call that is under way when the service ends
T = TypeVar("T")
MOST_GATHERED = 10_000  # requests that are not taken in yet


class Seen(NamedTuple):
    """A request that has ended."""

    model: str
    summary: Mapping[str, object] | None
    has_failed: bool


class Alarms:
    """Watches the requests of one service.

    Args:
        name: of the solution, for who is notified.
        secret: that signs what a URL is sent; empty: nothing does.
        pauses_s: between the tries of a call that may come through later.
    """

    def __init__(
        self,
        workspace: Workspace,
        alarm: Alarm,
        name: str,
        secret: str,
        listener: Listener,
        *,
        limits: Limits = USUAL,
        pauses_s: tuple[float, ...] = PAUSES_S,
    ) -> None:
        self._workspace, self._alarm, self._name = workspace, alarm, name
        self._secret, self._listener = secret, listener
        self._limits, self._pauses_s = limits, pauses_s
        self._is_sent = bool(alarm.command or alarm.url)
        self._gathered: deque[Seen] = deque(maxlen=MOST_GATHERED)
        self._batch: deque[Seen] = deque(maxlen=MOST_GATHERED)  # that is being taken in
        self._came, self._noted = threading.Event(), threading.Event()
        self._ended, self._closing = threading.Event(), threading.Event()
        self._train_mix = lru_cache(maxsize=8)(partial(train_mix, workspace))
        self._unknown: set[str] = set()  # models reported to have no known class mix
        self._said: dict[str, str] = {}
        self._calls: dict[str, tuple[str, str]] = {}  # what became of those that are not noted yet
        self._watcher = threading.Thread(target=self._watch, name="alo-alarms", daemon=True)
        self._caller = threading.Thread(target=self._call_all, name="alo-calls", daemon=True)

    def saw(self, model: str, summary: Mapping[str, object] | None, *, has_failed: bool) -> None:
        """A request has ended; costs it next to nothing."""
        self._gathered.append(Seen(model, summary, has_failed))
        if not self._came.is_set():
            self._came.set()

    def start(self) -> None:
        """Begin; what an earlier service has left is delivered."""
        begin = partial(watch_only, self._workspace, watched_by(self._alarm), is_sent=self._is_sent)
        self._try("alarms cannot be noted", begin)
        if self._alarm.command:
            fault = command_fault(self._alarm.command, self._workspace.home)
            if fault:
                self._listener(warning(f"the alarm's command cannot be started: {fault}"))
        self._watcher.start()
        self._caller.start()

    def stop(self) -> None:
        """Take in what has come, and end; a call that takes long is left to the next service."""
        self._ended.set()
        self._came.set()
        self._join(self._watcher)
        self._closing.set()
        self._noted.set()
        self._join(self._caller)

    def _join(self, thread: threading.Thread) -> None:
        if thread.is_alive():
            thread.join(STOP_S)

    def _watch(self) -> None:
        pause = EVERY_S
        while not self._ended.is_set():
            self._came.wait()
            self._ended.wait(GATHER_S)
            began = time.thread_time()
            self._try("alarms cannot be noted", self._take_in)
            pause = max(EVERY_S, COST * (time.thread_time() - began))
            self._ended.wait(pause - GATHER_S)
        self._try("alarms cannot be noted", self._take_in)

    def _take_in(self) -> None:
        """Take in what has come, and note what it changes; on a fault it is taken in later."""
        self._came.clear()
        while self._gathered:
            self._batch.append(self._gathered.popleft())
        found: list[Crossing] = []
        try:
            if self._batch:
                change_ledger(self._workspace, partial(self._after_batch, found))
        except BaseException:
            self._came.set()
            raise
        self._batch.clear()
        for crossing in found:
            self._report(crossing)
        if found:
            self._noted.set()

    def _after_batch(self, found: list[Crossing], now: Ledger) -> Ledger:
        """What is noted after the requests at hand; ``found`` gets the crossings."""
        watch = Watch(self._alarm, now.window, now.raised, self._train_shares_of)
        changes: list[Change] = []
        for each in self._batch:
            outcome = outcome_of(each.summary, has_failed=each.has_failed, model=each.model)
            changes += watch.see(outcome)
        changes += watch.look()
        time_text = utc_text(time.time())
        after = now.with_changes(
            changes, watch.window, self._name, time_text, is_sent=self._is_sent
        )
        found[:] = after.crossings[len(after.crossings) - len(changes) :]
        return after

    def _train_shares_of(self, model: str) -> Mapping[str, float]:
        if self._alarm.class_mix is None or not model:
            return {}
        shares = self._train_mix(model)
        if not shares and model not in self._unknown:
            self._unknown.add(model)
            what = f"no class mix is known of the train run {model}, so none is compared with it"
            fix = "the alarm class_mix needs the probability of a train run's summary"
            self._listener(warning(f"{what}: {fix}"))
        return shares

    def _report(self, crossing: Crossing) -> None:
        what = (
            f"alarm {crossing.alarm} {crossing.state}: {crossing.value:g}, limit "
            f"{crossing.limit:g}, last {crossing.requests} requests (id {crossing.id})"
        )
        self._listener(warning(what) if crossing.state == RAISED else info(what))

    def _call_all(self) -> None:
        stamp: tuple[int, int, int] | None = None
        while True:
            is_last = self._closing.is_set()
            self._noted.clear()
            now = ledger_stamp(self._workspace)
            if now != stamp and self._is_sent:
                # What others deliver now, or what could not be noted, is looked at once more.
                stamp = now if self._try("alarms cannot be delivered", self._deliver) else None
            if is_last:
                return
            self._noted.wait(LOOK_S)

    def _deliver(self) -> bool:
        """Call for what waits, one after the other; False: another service is at it."""
        if not read_ledger(self._workspace).waiting:
            return True
        path = self._workspace.internal / "claims" / "alarms"
        path.parent.mkdir(parents=True, exist_ok=True)
        claim = take(path, "alo alarms")
        if claim is None:
            return False
        try:
            while waiting := read_ledger(self._workspace).waiting:
                if not self._deliver_one(waiting[0]):
                    return False
        finally:
            claim.release()
        return True

    def _deliver_one(self, crossing: Crossing) -> bool:
        """Call until it has come through or is given up; False: the service ends before."""
        tries = crossing.tries
        while crossing.id not in self._calls:
            with suppress(OSError):  # on a full disk, say, it is called all the same
                change_ledger(self._workspace, lambda now: now.with_try(crossing.id))
            called = call(crossing, self._alarm, self._workspace.home, self._secret, self._limits)
            tries += 1
            if not called.fault:
                self._calls[crossing.id] = (DELIVERED, "")
            elif not called.is_passing or tries > len(self._pauses_s):
                self._listener(warning(f"{_named(crossing)} was not delivered: {called.fault}"))
                self._calls[crossing.id] = (FAILED, called.fault)
            else:
                if tries == 1:
                    what = f"{_named(crossing)}: {called.fault}; it is tried again"
                    self._listener(warning(what))
                if self._ended.wait(self._pauses_s[tries - 1]):
                    return False
        outcome = self._calls[crossing.id]
        change_ledger(self._workspace, lambda now: now.with_call(crossing.id, *outcome))
        del self._calls[crossing.id]
        return True

    def _try(self, what: str, work: Callable[[], T]) -> T | None:
        """Do it; where it fails that is reported once, and the service continues."""
        done: T | None = None
        try:
            done = work()
        except (AloError, OSError) as error:
            text = f"{what}: {error}"
        except Exception as error:  # the last net
            text = f"{what}: {error!r}"
        else:
            text = ""
        if text and text != self._said.get(what):
            self._listener(warning(text))
        self._said[what] = text
        return done


def watch_only(workspace: Workspace, names: Collection[str], *, is_sent: bool) -> None:
    """Note that no other alarm is watched any more, and whether anyone is to be notified.

    Raises:
        HistoryError: what is noted is damaged.
        OSError: it cannot be written.
    """
    if ledger_path(workspace).exists():
        change_ledger(workspace, lambda now: now.watching(names, is_sent=is_sent))


def _named(crossing: Crossing) -> str:
    return f"the alarm {crossing.id} ({crossing.alarm} {crossing.state})"
