"""Requests that were given up: to be looked at, put back, or deleted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from alo.errors import UsageError
from alo.json_text import json_value
from alo.masking import masked
from alo.serve.redis_queue.queue import DEAD, REQUESTS
from alo.serve.redis_queue.url import connect


class DeadLetter(NamedTuple):
    """A request that killed its worker each time."""

    number: int  # from 1, the oldest first
    time: str
    reason: str
    request: str  # as its client had sent it


class DeadLetters:
    """The list of them in a Redis."""

    def __init__(self, url: str) -> None:
        self._redis, self._shown_url = connect(url), masked(url)

    def all(self) -> list[DeadLetter]:
        """All of them, the oldest first, as they may be shown."""
        letters = [_letter(number, text) for number, text in enumerate(self._texts(), 1)]
        return [letter._replace(request=masked(letter.request)) for letter in letters]

    def replay(self, numbers: Sequence[int]) -> int:
        """Put them back at the end of the queue; returns how many.

        Args:
            numbers: which; none: all.
        """
        return self._take(numbers, replays=True)

    def drop(self, numbers: Sequence[int]) -> int:
        """Delete them; returns how many."""
        return self._take(numbers, replays=False)

    def _take(self, numbers: Sequence[int], *, replays: bool) -> int:
        texts = self._texts()
        wrong = [number for number in numbers if not 1 <= number <= len(texts)]
        if wrong:
            raise UsageError(
                f"there is no request {wrong[0]} among those given up",
                fix=f"`alo loop dead list` shows them; there are {len(texts)}",
            )
        chosen = [texts[number - 1] for number in dict.fromkeys(numbers)] or texts
        return self._move(chosen, replays=replays)

    def _move(self, chosen: Sequence[bytes], *, replays: bool) -> int:
        """Take them off the list; those that someone else has taken meanwhile are theirs."""
        from redis.exceptions import WatchError

        with self._redis.pipeline(transaction=True) as pipe:
            while True:
                pipe.watch(DEAD)
                found = Counter(chosen) & Counter(pipe.lrange(DEAD, 0, -1))
                there = list(found.elements())
                pipe.multi()
                for text in there:
                    pipe.lrem(DEAD, 1, text)
                    if replays:
                        pipe.rpush(REQUESTS, _letter(0, text).request.encode())
                with suppress(WatchError):
                    pipe.execute()
                    return len(there)

    def _texts(self) -> list[bytes]:
        from redis.exceptions import RedisError

        try:
            return [bytes(text) for text in self._redis.lrange(DEAD, 0, -1)]
        except RedisError as error:
            raise UsageError(f"Redis cannot be asked: {error}", where=self._shown_url) from error


def _letter(number: int, text: bytes) -> DeadLetter:
    try:
        content = json_value(text)
        return DeadLetter(number, content["time"], content["reason"], content["request"])
    except (ValueError, KeyError, TypeError):
        return DeadLetter(number, "", "not put aside by a loop", text.decode("utf-8", "replace"))
