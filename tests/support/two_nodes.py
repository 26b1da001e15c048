"""A Ray cluster of two nodes on this machine, which see nothing of the projects they run."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts/two_nodes.sh"
NODES = ("node1", "node2")
TURN = Path(tempfile.gettempdir(), "alo-two-nodes-turn.lock")


class TwoNodes:
    """``scripts/two_nodes.sh``, started, once no other one of this machine's runs.

    Ray's processes for ``ray://`` of two clusters would take each other's ports.

    Args:
        folder: for what it writes.
        hidden: the folder that its nodes see nothing of.
    """

    def __init__(self, folder: Path, hidden: Path) -> None:
        self.folder, self.hidden = folder, hidden
        self.start()

    def start(self) -> None:
        """Start it; again where something of it was killed."""
        self._turn = os.open(TURN, os.O_CREAT | os.O_RDWR, 0o666)
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        ports = dict(zip(("HEAD_PORT", "CLIENT_PORT"), map(str, _free_ports(2)), strict=True))
        subprocess.run(
            [SCRIPT, "start", self.folder, self.hidden],
            env={**os.environ, "PYTHON": sys.executable, **ports},
            stdin=subprocess.DEVNULL,
            check=True,
        )
        lines = (self.folder / "driver.env").read_text().splitlines()
        reported = dict(line.split("=", 1) for line in lines)
        self.address = reported.pop("ADDRESS")
        self.head = f"127.0.0.1:{ports['HEAD_PORT']}"
        self.environ: Mapping[str, str] = reported
        self.is_whole = True

    def cache(self, node: str) -> Path:
        """What a node has been sent."""
        return self.folder / node / "cache"

    def kill(self, name: str) -> None:
        """``kill -9`` of a node's, or the head's, processes; its actors end by that."""
        self.is_whole = False
        leader = int((self.folder / name / "pid").read_text())
        with suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)

    def stop(self) -> None:
        """End what is left of it."""
        subprocess.run([SCRIPT, "stop", self.folder], check=True)
        os.close(self._turn)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
