"""The lists of the edge protocol in Redis (spec 9): requests in, two answers out, nothing lost.

A request is moved, not popped: while it is worked on it is in a list of the worker's own. The
last answer and its removal from there are one transaction. Workers that are alive say so with a
key that expires (``heartbeat``); what a dead one had in hand is taken over. Clients push to the
right end of a list (``RPUSH``) and take from the left (``BLPOP``), as is done here.

Every round trip is felt in each request: what does not have to be known at once is held back and
goes out together, at the next ``flush`` or with the last answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from alo.json_text import json_bytes, json_text
from alo.serve.redis_queue.faults import passes, refusal
from alo.serve.redis_queue.heartbeat import ALIVE
from alo.serve.redis_queue.remote_protocol import ANSWERS, NOTES

T = TypeVar("T")

REQUESTS = "request_inference"
PROCESSING = f"{REQUESTS}:processing:"
TRIES = f"{REQUESTS}:tries:"
DEAD = f"{REQUESTS}:dead"
SUMMARIES = "inference_summary"
ARTIFACTS = "inference_artifacts"
STATUS_CHANNEL, FAIL_CHANNEL = "alo_status", "alo_fail"
MOST_DEAD = 10_000  # requests that were given up; the oldest give way
LOOK_S = 5.0  # at what others have in hand
REUNION_S = 10.0  # for others to be heard of again, once Redis is back
WAIT_S = 1  # for a request, before looking at other things
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0

# Keys that only loops and servers write, named by a client in part: what is wrong there is replaced
# and costs no one anything. Those of the edge application are its own.
OURS = (TRIES, ANSWERS, NOTES)
WHOLE = (
    f"local OURS = {{{', '.join(map(repr, OURS))}}}"
    + """
local commands, i = {}, 1
while i <= #ARGV do
  local n = tonumber(ARGV[i])
  local command = {}
  for j = 1, n do command[j] = ARGV[i + j] end
  commands[#commands + 1] = command
  i = i + n + 1
end
local kinds = {RPUSH='list', LREM='list', LTRIM='list', HDEL='hash', INCR='string'}
for _, command in ipairs(commands) do
  local name, key, kind = command[1], command[2], kinds[command[1]]
  if kind then
    local is = redis.call('TYPE', key).ok
    local is_wrong = is ~= 'none' and is ~= kind
    if name == 'INCR' and is == 'string' then is_wrong = not tonumber(redis.call('GET', key)) end
    if is_wrong then
      local is_ours = false
      for _, start in ipairs(OURS) do is_ours = is_ours or key:sub(1, #start) == start end
      if not is_ours then
        return redis.error_reply('WRONGTYPE ' .. key .. ' is a ' .. is .. ', not a ' .. kind)
      end
      redis.call('DEL', key)
    end
  end
end
for _, command in ipairs(commands) do redis.call(unpack(command)) end
return #commands
"""
)


class Stopped(Exception):  # noqa: N818
    """There is no use in waiting for Redis any longer: the loop is to end."""


class Taken(NamedTuple):
    """A request in a worker's hands."""

    payload: bytes
    tries: int  # that were begun before


class Queue:
    """One worker's end of the lists.

    Args:
        worker: its name, like that of no other worker anywhere.
        has_died: whether the worker of a name is known to have died; of others their key says it.
        report: takes a line when Redis is away, and when it is back.
        is_stopping: whether the loop is to end.
    """

    def __init__(
        self,
        client: Any,
        worker: str,
        has_died: Callable[[str], bool],
        report: Callable[[str], object],
        is_stopping: Callable[[], bool],
    ) -> None:
        self._redis, self.worker, self._has_died = client, worker, has_died
        self._report, self._is_stopping = report, is_stopping
        self._processing = f"{PROCESSING}{self.worker}"
        self._tries = f"{TRIES}{self.worker}"
        self._looked = float("-inf")
        self._missing: set[bytes] = set()
        self._held: list[tuple[str | bytes, ...]] = []  # commands that go out together
        self._may_have_some = True  # in hand, of which this object does not know
        self._was_in_hand = False  # the request that is
        self.is_away = self._was_there = False

    def take(self) -> Taken | None:
        """Move the next request into this worker's hands; None if there is none for a second."""
        self.flush()
        self._take_over()
        if self._may_have_some:  # taken over, or left by an answer that did not come through
            found = self._do(
                lambda: self._redis.lmove(self._processing, self._processing, "LEFT", "LEFT")
            )
            if found is not None:
                self._was_in_hand = True
                return Taken(bytes(found), self._do(self._begun))
            self._may_have_some = False
        self._was_in_hand = False
        moved = self._do(
            lambda: self._redis.blmove(REQUESTS, self._processing, WAIT_S, "LEFT", "RIGHT")
        )
        return None if moved is None else Taken(bytes(moved), 0)

    def _begun(self) -> int:
        from redis.exceptions import ResponseError

        try:
            return int(self._redis.get(self._tries) or 0)
        except (ResponseError, ValueError) as error:
            if passes(error):
                raise
            return 0  # it is no number; the next count replaces it

    def begin(self) -> None:
        """Count a try of the request in hand.

        One that was in hand before counts at once: it may be what ended us before we could count.
        """
        self._held.append(("INCR", self._tries))
        if self._was_in_hand:
            self.flush()

    def publish(self, status: str) -> None:
        """Publish the worker's status, with what is sent next."""
        self._held.append(("PUBLISH", STATUS_CHANNEL, status))

    def publish_failure(self, failure: Mapping[str, str]) -> None:
        """Publish why a request failed, with what is sent next."""
        self._held.append(("PUBLISH", FAIL_CHANNEL, json_text(failure)))

    def answer(self, name: str, message: Mapping[str, object]) -> None:
        """Push an answer that is not the last."""
        self._held.append(("RPUSH", name, json_bytes(message, default=str)))

    def flush(self) -> None:
        """Send what is held back."""
        if self._held:
            self._do(self._send)
            self._held.clear()

    def finish(
        self,
        payload: bytes,
        answers: Sequence[tuple[str, Mapping[str, object]]],
        *,
        aside: str = "",
        also: Sequence[tuple[str, ...]] = (),
    ) -> None:
        """Push the last answers, and with them take the request out of this worker's hands.

        Args:
            aside: why the request is put on the list of dead ones; empty: it is not.
            also: commands that go with them.
        """
        for name, message in answers:
            self.answer(name, message)
        self._held += also
        if aside:
            self._held.append(("RPUSH", DEAD, _dead_text(payload, aside)))
            self._held.append(("LTRIM", DEAD, str(-MOST_DEAD), "-1"))
        self._held.append(("LREM", self._processing, "1", payload))
        self._held.append(("DEL", self._tries))
        self.publish("waiting")
        self.flush()

    def drop_held(self) -> None:
        """What is held back is not to be sent: making it has failed half-way."""
        self._held.clear()

    def take_up_again(self) -> None:
        """Whatever is in hand, answering it has failed: the next ``take`` gives it once more."""
        self.drop_held()
        self._may_have_some = True

    def _send(self) -> None:
        if len(self._held) == 1 and self._held[0][0] == "PUBLISH":
            self._redis.execute_command(*self._held[0])
        else:
            send_whole(self._redis, self._held)

    def leave(self) -> None:
        """The worker ends in order, with nothing in hand."""
        from redis.exceptions import RedisError

        with suppress(RedisError):  # the key expires by itself
            self._redis.delete(f"{ALIVE}{self.worker}")

    def _take_over(self) -> None:
        """Take what workers had in hand that are known to have died, or missing for two looks."""
        if time.monotonic() - self._looked < LOOK_S:
            return
        self._looked = time.monotonic()
        names = self._do(lambda: list(self._redis.scan_iter(f"{PROCESSING}*", count=1000)))
        missing = set()
        for name in names:
            worker = bytes(name).removeprefix(PROCESSING.encode())
            if worker == self.worker.encode():
                continue
            alive_key = ALIVE.encode() + worker
            if self._has_died(worker.decode(errors="replace")):
                self._adopt(bytes(name), worker)
            elif not self._is_alive(alive_key):
                missing.add(worker)
                if worker in self._missing:
                    self._adopt(bytes(name), worker)
        self._missing = missing

    def _is_alive(self, key: bytes) -> bool:
        return bool(self._do(lambda: self._redis.exists(key)))

    def _adopt(self, name: bytes, worker: bytes) -> None:
        """Move the request of a dead worker into our hands, with its count of tries."""
        tries = TRIES.encode() + worker

        def move() -> None:
            pipe = self._redis.pipeline(transaction=True)  # or a kill leaves a count that stays
            pipe.lmove(name, self._processing, "LEFT", "RIGHT")
            pipe.get(tries)
            pipe.delete(tries)
            moved, count, _ = pipe.execute()
            if moved is not None:
                self._may_have_some = True
                if count is not None:
                    self._redis.set(self._tries, count)

        self._do(move)

    def _do(self, work: Callable[[], T]) -> T:
        """Do it, and again for as long as Redis is away, or refuses what it once has taken.

        Raises:
            ServeError: Redis refuses from the beginning.
            Stopped: it is away, and the loop is to end.
        """
        from redis.exceptions import RedisError

        pause = FIRST_PAUSE_S
        while True:
            try:
                done = work()
            except RedisError as error:
                if not (self._was_there or passes(error)):
                    raise refusal(error) from error
                self._may_have_some = True  # it may have been done all the same
                if not self.is_away:
                    self.is_away = True
                    how = "is away" if passes(error) else "refuses"
                    self._report(f"Redis {how} ({error}); waiting for it")
                if self._is_stopping():
                    raise Stopped from error
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
            else:
                self._was_there = True
                if self.is_away:
                    self.is_away = False
                    self._missing.clear()  # keys have expired meanwhile, also of those who live
                    self._looked = time.monotonic() + REUNION_S
                    self._report("Redis is back")
                return done


def send_whole(client: Any, commands: Sequence[tuple[str | bytes, ...]]) -> None:
    """Have all commands done or, where a key of a client's is of another kind, none.

    A transaction of Redis does the rest when one fails: a request would be gone and its answer too.

    Raises:
        RedisError: nothing was done; or, as ever, it is not known whether the connection broke
            before or after.
    """
    from redis.exceptions import NoPermissionError, ResponseError

    words: list[str | bytes | int] = []
    for command in commands:
        words += [len(command), *command]
    try:
        _whole_script()(args=words, client=client)
    except ResponseError as error:
        if not isinstance(error, NoPermissionError) and "unknown command" not in str(error):
            raise
        pipe = client.pipeline(transaction=True)  # scripts are not for this user
        for command in commands:
            pipe.execute_command(*command)
        pipe.execute()


@lru_cache(maxsize=1)
def _whole_script() -> Any:
    """Its name in Redis is a checksum, which is made once."""
    from redis.commands.core import Script

    no_client: Any = None  # each call says its own
    return Script(no_client, WHOLE.encode())


def _dead_text(payload: bytes, reason: str) -> bytes:
    """A request that was put aside, with why and when, for people and for ``replay``."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    request = payload.decode("utf-8", "replace")
    return json_bytes({"time": now, "reason": reason, "request": request})
