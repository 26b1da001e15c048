"""The classes of requests over time, each part of them compared with the train run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from alo.alarms.class_mix import Shares, distance, mean_of, shares_of
from alo.history.record import RunRecord

MOST_PARTS = 10
LEAST_REQUESTS = 10  # of a part, where there are more parts than one
Pairs: TypeAlias = tuple[tuple[str, float], ...]  # class and share
Request: TypeAlias = tuple[str, Pairs]  # when it came, and what it adds


class Part(NamedTuple):
    """The mix of some requests that came one after the other."""

    start: str  # of the first and of the last of them
    end: str
    requests: int
    shares: Pairs
    distance: float | None  # from the train run; None: its mix is not known
    margin: float | None  # how far chance moves the mix of so many

    def to_json(self) -> dict[str, object]:
        """As a page's data has it."""
        return {**self._asdict(), "shares": dict(self.shares)}


def parts_of(records: Sequence[RunRecord], train: Shares) -> tuple[Part, ...]:
    """The mixes of requests that have succeeded, in the order of time.

    Args:
        records: the newest first.
        train: the mix of the train run; empty: it is not known.
    """
    known = tuple(
        (record.start_time, tuple(shares.items()))
        for record in reversed(records)
        if record.status == "success" and (shares := shares_of(record.result, record.probability))
    )
    return _parts(known, tuple(train.items()))


@lru_cache(16)  # a feed is looked at again and again, and most times there is nothing new
def _parts(known: tuple[Request, ...], train: Pairs) -> tuple[Part, ...]:
    count = max(1, min(MOST_PARTS, len(known) // LEAST_REQUESTS))
    edges = [len(known) * at // count for at in range(count + 1)]
    slices = (known[low:high] for low, high in pairwise(edges))
    return tuple(_part(each, dict(train)) for each in slices if each)


def _part(requests: Sequence[Request], train: Shares) -> Part:
    mixes = [dict(shares) for _, shares in requests]
    found = distance(mixes, train) if train else None
    return Part(
        requests[0][0],
        requests[-1][0],
        len(requests),
        tuple(sorted((name, round(share, 4)) for name, share in mean_of(mixes).items())),
        round(found.value, 3) if found else None,
        round(found.margin, 3) if found else None,
    )
