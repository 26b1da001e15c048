"""What a driver does with a node: sends it what a task needs, and follows the task to its end."""

from __future__ import annotations

import pickle
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from typing import Any

from alo.data.location import LocationError, RemoteLocation
from alo.data.remote.blobs import Blobs
from alo.errors import ExecutorError
from alo.executors.node.link import PIECE, POLL_S, NodeLink
from alo.executors.node.order import Arriving, Missing, Order, Piece, SetUp, Unfit, folder_blob
from alo.executors.node.parcel import Parcel
from alo.executors.node.receive import Returns
from alo.executors.task import INTERRUPTED, Done, Lost, Result, TaskEvent
from alo.version import __version__

PART = PIECE
TIMES_SENT = 3  # that a folder is sent to a node which has lost it again
WAIT_S = POLL_S / 4

ParcelOf = Callable[[str], Parcel]  # by its digest
Wanted = Callable[[Iterator[bytes]], Iterator[bytes]]  # the pieces, unless they are cancelled
Cancelled = Callable[[], float | None]


def check_node(link: NodeLink) -> str:
    """The name of a node that can do our tasks.

    Raises:
        ExecutorError: it has another ALO.
    """
    hello = link.hello()
    if hello["alo"] != __version__:
        raise ExecutorError(
            f"node {hello['node']} has ALO {hello['alo']}, and this machine {__version__}",
            where=f"its Python is {hello['python']}, {hello['system']}",
            fix=f"install the same there: pip install open-alo=={__version__}",
        )
    return hello["node"]


def bring(
    link: NodeLink,
    digests: list[str],
    parcel_of: ParcelOf,
    wanted: Wanted = lambda pieces: pieces,
) -> None:
    """Send a node the folders that it has not got yet.

    Raises:
        Exception: whatever ``wanted`` does.
        ExecutorError, OSError: a folder cannot be read here.
    """
    for digest in link.missing(digests):
        parcel = parcel_of(digest)
        for number, piece in enumerate(wanted(parcel.pieces(PART))):
            link.put(digest, number * PART, piece, parcel.size)


class Bucket:
    """Where folders go instead of through links; nodes read and write it themselves.

    What tasks need stays there under its digest, for later tasks and runs; what comes of a task is
    removed once it is here.
    """

    def __init__(self, location: RemoteLocation) -> None:
        self._blobs = Blobs(location)
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def bring(
        self,
        link: NodeLink,
        digests: list[str],
        parcel_of: ParcelOf,
        wanted: Wanted = lambda pieces: pieces,
    ) -> None:
        """Have the folders here that a node has not got yet: it takes them itself.

        Raises:
            Exception: whatever ``wanted`` does.
            ExecutorError, OSError: a folder cannot be read.
            LocationError: the store does not take it.
        """
        for digest in link.missing(digests):
            name = folder_blob(digest)
            with self._locks[digest]:
                if self._blobs.find(name) is None:
                    self._blobs.put(name, wanted(parcel_of(digest).pieces(PART)))

    def fetch(self, arriving: Iterable[Arriving], returns: Returns) -> None:
        """Take the folders that a node has put here, and remove them.

        Raises:
            ExecutorError, LocationError, OSError: one is not there, damaged, or there is no room.
        """
        for each in arriving:
            found = self._blobs.find(each.blob)
            if found is None:
                raise ExecutorError(
                    "what came of a task is not in the bucket any more",
                    where=self._blobs.place_of(each.blob),
                    fix="see that nothing else removes it so soon, and run it again",
                )
            returns.begin(each)
            for piece in self._blobs.pieces(each.blob, found):
                returns.take(piece)
            with suppress(LocationError):  # it only takes room there
                self._blobs.remove(each.blob)


def follow(
    link: NodeLink,
    order: Order,
    parcel_of: ParcelOf,
    returns: Returns,
    cancelled: Cancelled = lambda: None,
    bucket: Bucket | None = None,
) -> Iterator[TaskEvent | SetUp | Unfit]:
    """Have a node do a task: what it reports, until ``Done``, ``Lost`` or ``Unfit``.

    Args:
        parcel_of: gives a folder by its digest.
        returns: takes what the task has made.
        cancelled: how much time the task is given to end; None: it is not cancelled. What it
            raises ends this, whatever the task does.
        bucket: which folders go through; None: through the link.
    Raises:
        ExecutorError, OSError: of this machine: something cannot be read or written here.
        Exception: whatever the link raises where the node is gone.
    """
    carry = bring if bucket is None else bucket.bring
    content = pickle.dumps(order, pickle.HIGHEST_PROTOCOL)
    with closing(returns):
        for _ in range(TIMES_SENT):
            try:
                carry(link, order.digests, parcel_of, lambda pieces: _until(cancelled, pieces))
            except _Cancelled:
                yield Done(Result(status=INTERRUPTED))
                return
            link.start(content)
            in_bucket: list[Arriving] = []
            for message in _messages(link, cancelled):
                match message:
                    case Missing():
                        break  # it is sent once more
                    case Arriving() if bucket is not None:
                        in_bucket.append(message)
                    case Arriving():
                        returns.begin(message)
                    case Piece(piece):
                        returns.take(piece)
                    case Done(result):
                        if bucket is not None:  # by now the node waits for no poll
                            bucket.fetch(in_bucket, returns)
                        yield Done(returns.finish(result))
                        return
                    case Lost() | Unfit():
                        yield message
                        return
                    case _:
                        yield message
    yield Lost("its node does not keep what it is sent")


def _messages(link: NodeLink, cancelled: Cancelled) -> Iterator[Any]:
    """What a node sends of a task, for as long as it is asked; the task is ended once wanted."""
    ending = _Ending(link, cancelled)
    while True:
        ending.look()
        for each in link.poll(PIECE, WAIT_S):
            cancelled()
            yield pickle.loads(each)  # noqa: S301 - of our node


class _Ending:
    """Has a node end its task once that is wanted, and sooner where that is wanted then."""

    def __init__(self, link: NodeLink, cancelled: Cancelled) -> None:
        self._link, self._cancelled = link, cancelled
        self._grace_s: float | None = None  # as the node knows it

    def look(self) -> None:
        wanted_s = self._cancelled()
        if wanted_s is not None and (self._grace_s is None or wanted_s < self._grace_s):
            self._grace_s = wanted_s
            self._link.cancel(wanted_s)


class _Cancelled(Exception):  # noqa: N818 - control flow
    """The task was, before all that it needs was sent."""


def _until(cancelled: Cancelled, pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if cancelled() is not None:
            raise _Cancelled
        yield piece
