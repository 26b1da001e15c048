"""Copy a file and take its checksum next to the copy, never in a pass of its own.

A small file goes through one buffer. A large one is copied inside the kernel (or shares its blocks,
where the file system can do that), while a second thread takes the checksum of the copy out of the
page cache.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import xxhash

from alo.copies import FICLONE
from alo.files import CHUNK, discard, set_time
from alo.named_tuples import NamedTuple

Progressed = Callable[[int], None]  # bytes more

LARGE = 8 << 20  # from here on a second thread costs less than it saves
LEAST_ROOM = 16 << 10  # bytes of the buffer, as some file systems do not say how large a file is
STRIDE = 16 << 20  # how much of a large file is copied before its checksum follows
_CANNOT = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTTY, errno.EPERM}


class Copied(NamedTuple):
    """A copy that was made."""

    checksum: str  # of what was written
    source: os.stat_result  # at the end of the copy
    target: os.stat_result


class Copier:
    """Copies one file after the other, and remembers what the file systems cannot do."""

    def __init__(self, progressed: Progressed = lambda size: None) -> None:
        self._progressed = progressed
        self._buffer = memoryview(b"")  # none yet: making it zeroes all of it, page by page
        self._can_clone = self._can_copy_range = True

    def copy(self, source: str, target: str) -> Copied:
        """Copy ``source`` to the new file ``target``, its modification time too.

        Raises:
            OSError: as the system says; ``target`` is gone then.
        """
        from_ = os.open(source, os.O_RDONLY)
        try:
            to = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
            try:
                digest = self._copy(from_, to)
                status = os.fstat(from_)
                set_time(to, status.st_mtime_ns)
                return Copied(digest, status, os.fstat(to))
            except BaseException:
                discard(Path(target))
                raise
            finally:
                os.close(to)
        finally:
            os.close(from_)

    def _copy(self, source: int, target: int) -> str:
        size = os.fstat(source).st_size
        room = min(CHUNK, max(LEAST_ROOM, size + 1))
        if len(self._buffer) < room:
            self._buffer = memoryview(bytearray(room))
        if size < LARGE:
            return self._pass_through(source, target)
        if self._can_clone and self._clone(source, target):
            return self._checksum(target)
        if self._can_copy_range:
            digest = self._copy_in_kernel(source, target)
            if digest:
                return digest
        return self._pass_through(source, target)

    def _pass_through(self, source: int, target: int) -> str:
        digest = xxhash.xxh3_128()
        while size := os.readv(source, [self._buffer]):
            part = self._buffer[:size]
            digest.update(part)
            _write_all(target, part)
            self._progressed(size)
        return digest.hexdigest()

    def _clone(self, source: int, target: int) -> bool:
        import fcntl

        try:
            fcntl.ioctl(target, FICLONE, source)
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            self._can_clone = False
        return self._can_clone

    def _checksum(self, target: int) -> str:
        digest = xxhash.xxh3_128()
        while size := os.readv(target, [self._buffer]):
            digest.update(self._buffer[:size])
            self._progressed(size)
        return digest.hexdigest()

    def _copy_in_kernel(self, source: int, target: int) -> str:
        """The checksum, or nothing where the kernel cannot copy between these two."""
        follower = _Follower(target, self._buffer)
        try:
            while size := os.copy_file_range(source, target, STRIDE):
                follower.follow(size)
                self._progressed(size)
        except (AttributeError, OSError) as error:  # AttributeError: not on this system
            if isinstance(error, OSError) and error.errno not in _CANNOT:
                raise
            self._can_copy_range = False
            os.lseek(source, 0, os.SEEK_SET)
            os.lseek(target, 0, os.SEEK_SET)
            return ""
        finally:
            follower.stop()
        return follower.digest()


class _Follower:
    """A thread that takes the checksum of a file as far as it has been written."""

    def __init__(self, descriptor: int, buffer: memoryview) -> None:
        from queue import SimpleQueue
        from threading import Thread

        self._descriptor, self._buffer = descriptor, buffer
        self._digest = xxhash.xxh3_128()
        self._written: SimpleQueue[int] = SimpleQueue()
        self._error: OSError | None = None
        self._thread = Thread(target=self._run, name="checksum", daemon=True)
        self._thread.start()

    def follow(self, size: int) -> None:
        """``size`` bytes more have been written."""
        self._written.put(size)

    def stop(self) -> None:
        """Nothing more is written."""
        self._written.put(0)
        self._thread.join()

    def digest(self) -> str:
        """The checksum of all that was written."""
        if self._error:
            raise self._error
        return self._digest.hexdigest()

    def _run(self) -> None:
        position = end = 0
        try:
            while size := self._written.get():
                end += size
                while position < end:
                    room = self._buffer[: min(CHUNK, end - position)]
                    read = os.preadv(self._descriptor, [room], position)
                    if not read:
                        raise OSError(errno.EIO, "the copy is shorter than what was written")
                    self._digest.update(room[:read])
                    position += read
        except OSError as error:
            self._error = error


def _write_all(descriptor: int, content: memoryview) -> None:
    while len(content):
        content = content[os.write(descriptor, content) :]
