"""What a driver needs of a node, whatever leads there: an actor, a process, or an object here.

``node:Node`` is the other end. A driver calls these, each returns soon, and nothing is sent that
was not asked for: pulling is back-pressure. One node has one task at a time; a machine with several
slots has a ``Node`` for each, and these share the machine's store. ``feeding`` has what a driver
does with a link, ``executor:NodesExecutor`` is an executor over any number of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

PIECE = 8_000_000  # bytes that are sent at once, at most
SILENT_S = 8.0  # after which a node that is not asked anything ends its task
POLL_S = 2.0  # between two polls of a driver, at most


class NodeLink(Protocol):
    """A node, as its driver sees it. Whatever it raises means that the node is lost.

    All that it is given and gives is bytes, numbers and texts, or lists of them.
    """

    def hello(self) -> dict[str, str]:
        """Who it is: ``node``, ``alo`` (version), ``python`` and ``system``."""

    def missing(self, digests: Sequence[str]) -> list[str]:
        """Which of these folders are to be sent to it.

        One that another slot of the machine is being sent is not among them.
        """

    def put(self, digest: str, offset: int, piece: bytes, size: int) -> None:
        """Take a piece of a folder, of at most ``PIECE`` bytes, in order; ``size``: of it all.

        What goes wrong with it (a full disk, say) is reported by ``poll``: this
        node is not fit for the task.
        """

    def start(self, task: bytes) -> None:
        """Begin a task, whose folders have been put: a pickled ``node.order:Order``."""

    def poll(self, max_bytes: int = PIECE, wait_s: float = 0.0) -> list[bytes]:
        """What the task has sent since, in order: pickled messages, together about so many bytes.

        Args:
            wait_s: for the first of them, at most.
        """

    def cancel(self, grace_s: float) -> None:
        """End the task: in order if it does so in time, else at once; ``poll`` reports its end.

        It may be called again, with less time.
        """

    def close(self) -> None:
        """End whatever still runs; nothing is asked of it any more."""
