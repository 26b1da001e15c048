"""What a driver does with a node: sends it what a task needs, and follows the task to its end."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

from alo.errors import ExecutorError
from alo.executors.node.link import PIECE, POLL_S, NodeLink
from alo.executors.node.order import Arriving, Missing, Order, Piece, SetUp
from alo.executors.node.parcel import Parcel
from alo.executors.node.receive import Returns
from alo.executors.task import Done, Lost, TaskEvent
from alo.version import __version__

PART = PIECE
TIMES_SENT = 3  # that a folder is sent to a node which has lost it again
WAIT_S = POLL_S / 4


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


def bring(link: NodeLink, digests: list[str], parcel_of: Callable[[str], Parcel]) -> None:
    """Send a node the folders that it has not got yet.

    Raises:
        ExecutorError, OSError: a folder cannot be read here.
    """
    for digest in link.missing(digests):
        parcel = parcel_of(digest)
        for offset in range(0, parcel.size, PART):
            link.put(digest, offset, parcel.piece(offset, PART), parcel.size)


def follow(
    link: NodeLink,
    order: Order,
    parcel_of: Callable[[str], Parcel],
    returns: Returns,
    cancelled: Callable[[], float | None] = lambda: None,
) -> Iterator[TaskEvent | SetUp]:
    """Have a node do a task: what it reports, until ``Done`` or ``Lost``.

    Args:
        parcel_of: gives a folder by its digest.
        returns: takes what the task has made.
        cancelled: how much time the task is given to end; None: it is not cancelled.
    Raises:
        ExecutorError, OSError: of this machine: something cannot be read or written here.
        Exception: whatever the link raises where the node is gone.
    """
    is_cancelled = False
    content = pickle.dumps(order, pickle.HIGHEST_PROTOCOL)
    with closing(returns):
        for _ in range(TIMES_SENT):
            bring(link, order.digests, parcel_of)
            link.start(content)
            is_to_send = False
            while not is_to_send:
                if not is_cancelled and (grace_s := cancelled()) is not None:
                    is_cancelled = True
                    link.cancel(grace_s)
                for each in link.poll(PIECE, WAIT_S):
                    message = pickle.loads(each)  # noqa: S301 - of our node
                    match message:
                        case Missing():
                            is_to_send = True
                        case Arriving():
                            returns.begin(message)
                        case Piece(piece):
                            returns.take(piece)
                        case Done(result):
                            yield Done(returns.finish(result))
                            return
                        case Lost():
                            yield message
                            return
                        case _:
                            yield message
    yield Lost("its node does not keep what it is sent")


def parcels(known: Mapping[str, Parcel], more: Callable[[str], Parcel]) -> Callable[[str], Parcel]:
    """Folders by their digests: those that are known, or else what ``more`` gives."""
    return lambda digest: known.get(digest) or more(digest)
