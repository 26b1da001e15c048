"""Who is alive: a claim is a file that its holder keeps locked; no PID counts.

A PID means nothing in another container, a host name nothing on a cloned host, and both come
again. A lock ends with the process that has it, however that ends: whoever can have the lock knows
that its holder is gone.

Where the file system keeps locks from other machines, a holder gives a sign of life as well: it
touches its file. To other machines it is alive until they have seen the file unchanged for a
minute, each by its own clock: no two clocks are compared.

Where it has no locks at all, a file of this machine's own is locked in its place, and who is
on another machine is known by signs of life alone.
"""

import errno
import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from os.path import samestat
from pathlib import Path
from stat import S_ISDIR
from time import monotonic, sleep, time

from alo.json_text import json_value
from alo.mounts import mount_of
from alo.named_tuples import NamedTuple

BEAT_S = 5.0
SILENT_S = 60.0  # without a sign of life: dead
LONG_GONE_S = 2 * 86400.0  # what is older, and gives no signs of life, is no one's
LOOKERS_S, PAUSE_S = 10.0, 0.005  # for a lock at which others only look, each for an instant
BOOT_ID = "/proc/sys/kernel/random/boot_id"
LONGEST, MOST_BYTES = 200, 4096  # what is noted in characters; a whole note

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
LOOK = os.O_RDONLY | os.O_NONBLOCK  # whatever is there: a pipe would be waited for
STAND_INS = "/tmp"  # noqa: S108 - in a folder there that only this user can write to

_stand_ins: dict[int, int] = {}  # a file that cannot be locked → one that is locked in its place
_open: "dict[int, Claim]" = {}  # by their descriptors: all that this process has
_watched: dict[str, tuple[int, float]] = {}  # another machine's claim → its last sign, since when


class Holder(NamedTuple):
    """What the holder of a claim has noted in it; empty where it has not."""

    what: str = ""
    process: int = 0  # for people: its number where it runs
    host: str = ""  # for people too
    boot: str = ""  # of the system that it runs on, which all of its containers share
    file: int = 0  # the claim's own inode: in a copy of the folder it is another
    beats: bool = False  # whether it gives signs of life
    place: str = ""  # which file is locked in its place; none: the claim itself

    def __str__(self) -> str:
        if not self.what:
            return "it has just begun"
        where = "" if self.host in ("", os.uname().nodename) else f" on {self.host}"
        return f"{self.what} (process {self.process}{where})"


class Claim:
    """A claim of this process, until it is released or the process ends."""

    def __init__(self, path: Path, descriptor: int, *, beats: bool) -> None:
        self.path, self._descriptor = path, descriptor
        _open[descriptor] = self
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        if beats:
            beat = (descriptor, self._ended)
            self._thread = threading.Thread(target=_beat, args=beat, name="alo-claim", daemon=True)
            self._thread.start()

    @property
    def is_without_lock(self) -> bool:
        """Whether others know of it by signs of life alone: the file system has no locks."""
        return self._descriptor in _stand_ins

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What a child has to inherit so that the claim lasts as long as that child lives, too."""
        stand_in = _stand_ins.get(self._descriptor)
        return (self._descriptor,) if stand_in is None else (self._descriptor, stand_in)

    def release(self, *, remove: bool = False) -> None:
        """Give it up; in a fork, which does not have it, nothing happens.

        Args:
            remove: the file goes too.
        """
        if _open.get(self._descriptor) is not self:
            return
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            if remove and samestat(os.fstat(self._descriptor), os.stat(self.path)):
                os.unlink(self.path)
        del _open[self._descriptor]
        _close(self._descriptor)


def take(path: Path, what: str) -> Claim | None:
    """Claim a file, which is made; None where another holder is alive.

    Args:
        what: for people: what the holder does.
    Raises:
        OSError: it cannot be opened or locked.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not _lock(descriptor, fcntl.LOCK_EX) or _lives_on_another_machine(descriptor, path):
            _close(descriptor)
            return None
        # Whoever deletes the file while we open it leaves us one that no one else will ever see.
        if not samestat(os.fstat(descriptor), os.stat(path)):
            _close(descriptor)
            return None
        beats = descriptor in _stand_ins or not mount_of(path.parent).shares_locks
    except FileNotFoundError:
        _close(descriptor)
        return None
    except BaseException:
        _close(descriptor)
        raise
    _note(descriptor, what, beats=beats)
    return Claim(path, descriptor, beats=beats)


def holder_of(path: Path) -> Holder | None:
    """Who has a claim and is alive, in whichever process; None: no one."""
    try:
        descriptor = os.open(path, LOOK)
    except FileNotFoundError:
        return None
    except OSError:  # where locks are compulsory, say
        return Holder()
    try:
        is_free = _lock(descriptor, fcntl.LOCK_SH) and not _lives_on_another_machine(
            descriptor, path
        )
        return None if is_free else _read(descriptor)
    except OSError:
        return Holder()
    finally:
        _close(descriptor)


def died_here(path: Path) -> bool:
    """Whether the holder of a claim is known to have ended on this system, since it was booted.

    Not so in a copy of its folder, nor on a clone of its host.
    """
    try:
        descriptor = os.open(path, LOOK)
    except OSError:
        return False
    try:
        note = _read(descriptor)
        is_free = _lock(descriptor, fcntl.LOCK_SH)
        is_own = _is_of_here(note, descriptor) and note.file == os.fstat(descriptor).st_ino
        return is_own and is_free
    except OSError:
        return False
    finally:
        _close(descriptor)


@contextmanager
def left_behind(path: Path) -> Iterator[bool]:
    """Whether the process that made a file or folder, and keeps it locked, is gone.

    While inside, no one can lock it. On a file system without locks it is never said to be gone.
    """
    descriptor = os.open(path, LOOK)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        status, mount = os.fstat(descriptor), mount_of(path.parent)
        # NFS has no locks of folders: each machine keeps its own.
        is_known = mount.shares_locks and not (mount.is_network and S_ISDIR(status.st_mode))
        yield is_known or abs(time() - status.st_mtime) > LONG_GONE_S  # no clock is so wrong
    finally:
        _close(descriptor)


def locked_folder(new_name: Callable[[], Path]) -> tuple[Path, int]:
    """A new folder that stays locked until its descriptor is closed: ``left_behind`` looks at it.

    Args:
        new_name: gives another name each time.
    Returns:
        the folder, and its descriptor.
    """
    while True:
        folder = new_name()
        folder.mkdir()
        try:
            descriptor = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:  # swept before it was locked
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # about to be swept
            os.close(descriptor)
            continue
        except OSError:  # a file system that cannot lock: no one sweeps there
            return folder, descriptor
        if folder.exists():
            return folder, descriptor
        os.close(descriptor)


def ours(path: Path) -> Claim | None:
    """The claim that this process has of a file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    claims = list(_open.items())
    return next((each for number, each in claims if samestat(status, os.fstat(number))), None)


def boot_id() -> str:
    """Of the system since it was started, shared by all of its containers; empty: not known."""
    try:
        with open(BOOT_ID) as file:
            return file.read().strip()
    except OSError:
        return ""


def _lock(descriptor: int, how: int) -> bool:
    """Whether the lock is had; to have it alone, those who only look are waited for."""
    if _try(descriptor, how):
        return True
    end = monotonic() + LOOKERS_S
    while how == fcntl.LOCK_EX and _is_looked_at(descriptor) and monotonic() < end:
        sleep(PAUSE_S * os.urandom(1)[0] / 255)  # two who want it do not look in step
        if _try(descriptor, how):
            return True
    return False


def _is_looked_at(descriptor: int) -> bool:
    """Whether a lock that cannot be had alone can be shared: no holder has it."""
    if not _try(descriptor, fcntl.LOCK_SH):
        return False
    _flock(descriptor, fcntl.LOCK_UN)
    return True


def _try(descriptor: int, how: int) -> bool:
    try:
        _flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _flock(descriptor: int, how: int) -> None:
    try:
        fcntl.flock(_stand_ins.get(descriptor, descriptor), how)
    except OSError as error:
        if error.errno not in NO_LOCKS or descriptor in _stand_ins:
            raise
        _stand_ins[descriptor] = _stand_in(os.fstat(descriptor), error)
        fcntl.flock(_stand_ins[descriptor], how)


def _stand_in(status: os.stat_result, error: OSError) -> int:
    """A file of this machine that stands for one that cannot be locked."""
    folder = f"{STAND_INS}/alo-locks-{os.getuid()}"
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    if os.lstat(folder).st_uid != os.getuid() or os.path.islink(folder):
        raise error
    path = f"{folder}/{status.st_dev:x}-{status.st_ino:x}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def _close(descriptor: int) -> None:
    if (stand_in := _stand_ins.pop(descriptor, None)) is not None:
        os.close(stand_in)
    os.close(descriptor)


def _lives_on_another_machine(descriptor: int, path: Path) -> bool:
    """Whether the lock can be had only because its holder is on a machine that has its own."""
    note = _read(descriptor)
    if not note.what or _is_of_here(note, descriptor):
        return False
    if not note.beats:
        return not mount_of(path.parent).shares_locks
    sign, now = os.fstat(descriptor).st_mtime_ns, monotonic()
    seen, since = _watched.get(str(path), (0, now))
    if seen != sign:
        since = now
    _watched[str(path)] = sign, since
    return now - since < SILENT_S


def _is_of_here(note: Holder, descriptor: int) -> bool:
    """Whether a lock that can be had says that the one who noted this is gone."""
    return bool(note.boot) and note.boot == boot_id() and note.place == _place_of(descriptor)


def _place_of(descriptor: int) -> str:
    """What is locked for a file that cannot be: each container may have its own."""
    if descriptor not in _stand_ins:
        return ""
    status = os.fstat(_stand_ins[descriptor])
    return f"{status.st_dev}:{status.st_ino}"


def _note(descriptor: int, what: str, *, beats: bool) -> None:
    own = os.fstat(descriptor).st_ino
    where = os.getpid(), os.uname().nodename, boot_id(), own
    holder = Holder(what[:LONGEST], *where, beats, _place_of(descriptor))
    with suppress(OSError):  # a full disk: others wait all the same, and do not know for whom
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder._asdict()).encode(), 0)


def _read(descriptor: int) -> Holder:
    try:
        content = json_value(os.pread(descriptor, MOST_BYTES, 0))
        holder = Holder(**content)
    except (OSError, ValueError, TypeError):
        return Holder()
    kinds = (str, int, str, str, int, bool, str)
    fits = all(type(each) is kind for each, kind in zip(holder, kinds, strict=True))
    return holder if fits else Holder()


def _beat(descriptor: int, ended: threading.Event) -> None:
    while not ended.wait(BEAT_S):
        with suppress(OSError):
            os.utime(descriptor)


def _close_in_child() -> None:
    """A flock is shared with forked children; one that outlives its parent must not keep it."""
    for descriptor in _open:
        _close(descriptor)
    _open.clear()


os.register_at_fork(after_in_child=_close_in_child)
