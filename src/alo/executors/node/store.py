"""What a node keeps from one task to the next: folders by their digests, and what steps store.

``$ALO_NODE_DIR``, by default ``~/.cache/alo/node``, shared by all slots of a machine. A folder is
there whole or not at all; while it arrives or is used, its lock says so to the other slots.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from alo.claims import left_behind, locked_folder
from alo.errors import ExecutorError
from alo.executors.node.parcel import Unpacking
from alo.files import discard
from alolib.disk import fix_of, free_bytes

VARIABLE = "ALO_NODE_DIR"
MOST_BYTES = 10_000_000_000
FOLDERS, INCOMING, STEPS, LOCKS = "folders", "incoming", "steps", "locks"
SCRATCH = "scratch"  # what lasts no longer than a slot
DIGEST = re.compile(r"[0-9a-f]{32}")
LOOK_S = 0.05


def node_folder() -> Path:
    """Where this machine's nodes keep what they are sent."""
    given = os.environ.get(VARIABLE)
    return Path(given) if given else Path.home() / ".cache" / "alo" / "node"


class NodeStore:
    """One slot's view of the store.

    Args:
        root: of the store; it is made.
        most_bytes: that it takes, before what was unused for longest goes.
    """

    def __init__(self, root: Path, most_bytes: int = MOST_BYTES) -> None:
        self.root, self._most_bytes = root, most_bytes
        self._locks: dict[str, int] = {}  # what this slot uses or is being sent: their descriptors
        self._arriving: dict[str, tuple[Unpacking, int]] = {}  # with the bytes that have come
        with _system_errors(root):
            for name in (FOLDERS, INCOMING, STEPS, LOCKS, SCRATCH):
                (root / name).mkdir(parents=True, exist_ok=True)

    def missing(self, digest: str) -> bool:
        """Whether a folder is to be sent to this slot: not if it is here, or another is sent it.

        Raises:
            ExecutorError: the store cannot be used.
        """
        with _system_errors(self.root):
            if self._is_held(digest):
                return False
            if self._lock(digest, fcntl.LOCK_EX):
                if not self._place(digest).is_dir():
                    return True
                self._use(digest)
            elif self._lock(digest, fcntl.LOCK_SH) and not self._place(digest).is_dir():
                self._unlock(digest)  # whoever was sent it has given up a moment ago
        return False

    def put(self, digest: str, offset: int, piece: bytes, size: int) -> None:
        """Take a piece of a folder that is missing.

        Raises:
            ExecutorError: it is not as it should be, or there is no room for it.
        """
        try:
            with _system_errors(self.root):
                self._take(digest, offset, piece, size)
        except ExecutorError:
            self._give_up(digest)
            raise

    def fill(self, digest: str, pieces: Iterable[bytes], size: int) -> None:
        """Take all of a folder that is missing.

        Raises:
            ExecutorError: as of ``put``; whatever ``pieces`` raises. It is missing then.
        """
        offset = 0
        try:
            for piece in pieces:
                self.put(digest, offset, piece, size)
                offset += len(piece)
        finally:
            if offset < size:
                self._give_up(digest)

    def folder(self, digest: str, ends: Callable[[], object] = lambda: None) -> Path | None:
        """A folder, which stays while this slot has it; waits while another slot is sent it.

        Args:
            ends: called while it waits; raises to end that.
        Returns:
            None: it is not here, and nobody is being sent it.
        Raises:
            ExecutorError: the store cannot be used.
        """
        with _system_errors(self.root):
            while not self._is_held(digest):
                if self._lock(digest, fcntl.LOCK_SH):
                    if not self._place(digest).is_dir():
                        self._unlock(digest)
                        return None
                    self._use(digest)
                    break
                ends()
                time.sleep(LOOK_S)
        return self._place(digest)

    def steps(self, digest: str) -> Path:
        """Where steps of a state of the project store what they have made, for all slots.

        Raises:
            ExecutorError: it cannot be made.
        """
        with _system_errors(self.root):
            folder = self.root / STEPS / _checked(digest)
            folder.mkdir(exist_ok=True)
            os.utime(folder)
        return folder

    def scratch(self) -> tuple[Path, int]:
        """A new folder of this slot, and the descriptor that keeps it locked.

        Those of slots that were killed are removed.

        Raises:
            ExecutorError: it cannot be made.
        """
        with _system_errors(self.root):
            for left in (self.root / SCRATCH).iterdir():
                with suppress(OSError), left_behind(left) as is_left:
                    if is_left:
                        discard(left)
            return locked_folder(lambda: self.root / SCRATCH / os.urandom(6).hex())

    def keep_only(self, digests: Collection[str]) -> None:
        """No other folders are used by this slot any more."""
        for digest in self._arriving.keys() - digests:
            self._give_up(digest)
        for digest in self._locks.keys() - digests:
            self._unlock(digest)

    def _take(self, digest: str, offset: int, piece: bytes, size: int) -> None:
        if digest not in self._locks:
            raise ExecutorError(f"nobody has asked for the folder {digest}")
        if offset == 0:
            self._give_way(size)
            if digest in self._arriving:  # it was begun, and given up there
                self._arriving[digest][0].discard()
            place = self.root / INCOMING / digest
            discard(place)
            self._arriving[digest] = Unpacking(place, digest), 0
        arriving, come = self._arriving[digest]
        if offset != come:
            raise ExecutorError(f"a piece of the folder {digest} is missing")
        arriving.take(piece)
        self._arriving[digest] = arriving, come + len(piece)
        if come + len(piece) >= size:
            arriving.finish()
            del self._arriving[digest]
            os.pwrite(self._locks[digest], str(size).encode(), 0)
            os.rename(self.root / INCOMING / digest, self._place(digest))
            self._use(digest)

    def _place(self, digest: str) -> Path:
        return self.root / FOLDERS / _checked(digest)

    def _is_held(self, digest: str) -> bool:
        return (
            digest in self._locks
            and digest not in self._arriving
            and (self._place(digest).is_dir())
        )

    def _use(self, digest: str) -> None:
        """Keep it from being removed, and let others use it, too."""
        fcntl.flock(self._locks[digest], fcntl.LOCK_SH)
        os.utime(self._locks[digest])

    def _lock(self, digest: str, how: int) -> bool:
        descriptor = self._locks.get(digest)
        if descriptor is None:
            descriptor = os.open(
                self.root / LOCKS / _checked(digest), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666
            )
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if digest not in self._locks:
                os.close(descriptor)
            return False
        self._locks[digest] = descriptor
        return True

    def _unlock(self, digest: str) -> None:
        os.close(self._locks.pop(digest))

    def _give_up(self, digest: str) -> None:
        arriving = self._arriving.pop(digest, None)
        if arriving is not None:
            arriving[0].discard()
        if digest in self._locks and not self._place(digest).is_dir():
            with suppress(OSError):
                discard(self.root / INCOMING / digest)
            self._unlock(digest)

    def _give_way(self, size: int) -> None:
        """Remove what was unused for longest, until there is room for so much more."""
        known = sorted(self._known())
        total = size + sum(each for _, each, _ in known)
        free = free_bytes(self.root)
        on_disk = total - size + free if free is not None else total
        for _, each, path in known:
            if total <= min(self._most_bytes, on_disk):
                return
            if self._remove(path):
                total -= each

    def _known(self) -> Iterator[tuple[float, int, Path]]:
        """When each was used last, its bytes, and where it is."""
        for path in (self.root / FOLDERS).iterdir():
            with suppress(OSError, ValueError):
                lock = self.root / LOCKS / path.name
                yield lock.stat().st_mtime, int(lock.read_bytes()), path
        for path in (self.root / STEPS).iterdir():
            with suppress(OSError):
                files = (each for each in path.rglob("*") if each.is_file())
                yield path.stat().st_mtime, sum(each.stat().st_size for each in files), path

    def _remove(self, path: Path) -> bool:
        """Whether it is gone: not if a slot uses it."""
        digest = path.name
        if digest in self._locks:
            return False
        descriptor = os.open(self.root / LOCKS / digest, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            discard(path)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True


def _checked(digest: str) -> str:
    if not DIGEST.fullmatch(digest):
        raise ExecutorError(f"'{digest[:40]}' is no digest")
    return digest


@contextmanager
def _system_errors(root: Path) -> Iterator[None]:
    """Inside, an error of the system is an ``ExecutorError``."""
    try:
        yield
    except OSError as error:
        raise ExecutorError(
            f"the node cannot keep what it is sent: {error.strerror or error}",
            where=f"{os.uname().nodename}: {error.filename or root}",
            fix=fix_of(error, other=f"see that it may be written to; {VARIABLE} says where"),
        ) from error
