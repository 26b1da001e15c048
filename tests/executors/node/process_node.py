"""A node in a process of its own, with a store of its own, reached through pipes."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from struct import Struct
from typing import Any, BinaryIO

from alo.executors.node.link import SILENT_S

LENGTH = Struct("!Q")
MAIN = "import sys; sys.path[:0] = sys.argv[1:2]; from process_node import main; main()"


class ProcessNode:
    """A ``NodeLink``.

    Args:
        root: of its store.
        hides: a folder that it does not see: an empty one is mounted over it.
        silent_s: without being asked anything, after which it ends its task.
    """

    def __init__(
        self, root: Path, name: str, *, hides: Path | None = None, silent_s: float = SILENT_S
    ) -> None:
        here = os.path.dirname(__file__)
        command = [sys.executable, "-c", MAIN, here, str(root), name, str(silent_s)]
        if hides is not None:
            mount = 'mount -t tmpfs none "$0" && exec "$@"'
            command = ["unshare", "-m", "sh", "-c", mount, str(hides), *command]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._lock = threading.Lock()

    def hello(self) -> dict[str, str]:
        return self._ask("hello")

    def missing(self, digests: Sequence[str]) -> list[str]:
        return self._ask("missing", digests)

    def put(self, digest: str, offset: int, piece: bytes, size: int) -> None:
        self._ask("put", digest, offset, piece, size)

    def start(self, task: bytes) -> None:
        self._ask("start", task)

    def poll(self, max_bytes: int = 8_000_000, wait_s: float = 0.0) -> list[bytes]:
        return self._ask("poll", max_bytes, wait_s)

    def cancel(self, grace_s: float) -> None:
        self._ask("cancel", grace_s)

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def kill(self) -> None:
        self.process.kill()

    def _ask(self, name: str, *given: object) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        with self._lock:
            _write(self.process.stdin, (name, given))
            answer = _read(self.process.stdout)
        if answer is None:
            raise EOFError("its process has ended")
        return answer[0]


def _write(file: BinaryIO | Any, message: object) -> None:
    content = pickle.dumps(message)
    file.write(LENGTH.pack(len(content)) + content)
    file.flush()


def _read(file: BinaryIO | Any) -> Any:
    head = file.read(LENGTH.size)
    return pickle.loads(file.read(LENGTH.unpack(head)[0])) if head else None  # noqa: S301


def main() -> None:
    """Be a node until nobody asks any more."""
    from alo.executors.node.node import Node

    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    node = Node(Path(sys.argv[2]), sys.argv[3], float(sys.argv[4]))
    while (message := _read(asked)) is not None:
        name, given = message
        _write(answers, (getattr(node, name)(*given),))
    node.close()
