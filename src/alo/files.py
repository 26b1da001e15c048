"""Write whole or not at all, checksums, hard links: what every store of files here is built on."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import xxhash

from alo.claims import left_behind
from alo.mounts import mounted_in
from alo.real_names import name_really, real_names
from alolib.paths import make_folder

CHUNK = 1 << 20
LOCK_LOOK_S = 0.02  # how often a lock is asked for that another process has


def write_whole(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write so that a reader sees the old file or the whole new one, never half.

    Args:
        durable: also survive a power loss (``fsync``); a killed process never needs it.
    """
    temporary, file = claim_temporary(path)
    try:
        with file:
            file.write(content)
            file.flush()
            if durable:
                synchronise(file.fileno())
            # Atomic only inside one file system, which is why the temporary file sits next to it.
            os.replace(temporary, path)
    except BaseException as error:
        name_really(error, {temporary: path})
        discard(temporary)
        raise


def write_once(path: str | os.PathLike[str], content: bytes, *, mode: int = 0o666) -> None:
    """Make a file whose reader can check whether it is whole: a kill may leave half of it.

    It takes half of what ``write_whole`` does, which has to make and rename another file.

    Raises:
        OSError: it is there already; or it cannot be written, and is not there.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(path, flags, mode)
    try:
        rest = memoryview(content)
        while len(rest):
            rest = rest[os.write(descriptor, rest) :]
    except BaseException:
        os.unlink(path)
        raise
    finally:
        os.close(descriptor)


def write_new(contents: Mapping[str, bytes], folder: str | os.PathLike[str]) -> None:
    """Make new files below a folder, by their names.

    Raises:
        OSError: one is there already, or cannot be written.
    """
    for name, content in contents.items():
        path = os.path.join(folder, name)
        make_folder(os.path.dirname(path))
        write_once(path, content)


def append_line(path: Path, line: bytes) -> None:
    """Add a line to a file that is only ever appended to, durably.

    What a kill has left of a line that was never acknowledged is cut off first.

    Raises:
        OSError: it cannot be written.
    """
    with open(path, "ab+") as file:
        file.seek(0)
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)
        file.write(line + b"\n")
        file.flush()
        synchronise(file.fileno())


def synchronise(descriptor: int) -> None:
    """Have what was written to a file on the disk, where its file system can be asked for that."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS):  # it cannot be asked
            raise


def temporary_beside(path: Path) -> Path:
    """A hidden name in the same folder that no one else uses."""
    return path.with_name(f".{path.name}.{os.urandom(8).hex()}.alo-tmp")


def claim_temporary(path: Path) -> tuple[Path, BinaryIO]:
    """A new temporary file next to ``path``, marked as in use until it is closed."""
    import fcntl

    while True:
        temporary = temporary_beside(path)
        with real_names({temporary: path}):
            file = open(temporary, "xb")  # noqa: SIM115 - the caller closes it
        with suppress(OSError):  # no locks here: no one sweeps either
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:  # not taken for a leftover before it was marked
            return temporary, file
        file.close()


def sweep_leftovers(folder: Path, names: Collection[str] | None = None) -> None:
    """Remove the temporary files that killed processes left in ``folder``.

    Args:
        names: of the files that they were to become; None: whatever that was.
    """
    for name in os.listdir(folder):
        if not is_leftover(name):
            continue
        if names is None or any(name.startswith(f".{each}.") for each in names):
            with suppress(OSError), left_behind(folder / name) as is_left:
                if is_left:
                    os.unlink(folder / name)


@contextmanager
def alone_with(folder: Path, limit_s: float | None = None) -> Iterator[None]:
    """Hold a folder's lock: others who ask for it wait, in any process.

    Where the file system cannot lock, no one waits.

    Args:
        limit_s: seconds to wait at most; None: for as long as it takes.
    Raises:
        TimeoutError: another process has held it for all that time.
    """
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if limit_s is not None:
            _wait_for(descriptor, folder, limit_s)
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, folder: Path, limit_s: float) -> None:
    import fcntl

    end = time.monotonic() + limit_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                what = f"another process has locked it for {limit_s:g} s"
                raise TimeoutError(errno.ETIMEDOUT, what, str(folder)) from None
            time.sleep(LOCK_LOOK_S)
        except OSError:  # a file system without locks
            return
        else:
            return


def is_leftover(name: str) -> bool:
    """Whether this is the name of a temporary file that a killed process left behind."""
    return name.endswith(".alo-tmp")


def set_mode(file: int | str | os.PathLike[str], mode: int) -> None:
    """Permissions, where the file system has any to set: those of other systems often do not."""
    with suppress(OSError):
        os.chmod(file, mode)


def set_time(file: int | str | os.PathLike[str], mtime_ns: int) -> None:
    """The modification time, where the file system lets it be set."""
    with suppress(OSError):
        os.utime(file, ns=(mtime_ns, mtime_ns))


def make_link(target: str, path: str | os.PathLike[str]) -> bool:
    """A symbolic link, where the file system has them; whether it has."""
    try:
        os.symlink(target, path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
            raise
        return False
    return True


def checksum(path: Path) -> str:
    """xxh3-128 of a file's content as 32 hex digits; reads in chunks of 1 MiB."""
    digest = xxhash.xxh3_128()
    buffer = bytearray(CHUNK)
    view = memoryview(buffer)
    with open(path, "rb", buffering=0) as file:
        while size := file.readinto(buffer):
            digest.update(view[:size])
    return digest.hexdigest()


def checksum_of(content: bytes) -> str:
    """xxh3-128 of bytes in memory as 32 hex digits."""
    return xxhash.xxh3_128_hexdigest(content)


@contextmanager
def many_objects() -> Iterator[None]:
    """Where objects are made by the ten thousand and none is garbage: no collection meanwhile."""
    import gc

    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def entries_of(folder: str) -> Iterator[Iterator[os.DirEntry[str]]]:
    """What is in a folder; to look at an entry no path is walked, so an entry knows only its name.

    Raises:
        OSError: of a file whose whole path it has, as of the folder.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with os.scandir(descriptor) as entries:
            yield entries
    except OSError as error:
        if isinstance(error.filename, str):
            error.filename = os.path.join(folder, error.filename)
        raise
    finally:
        os.close(descriptor)


def real_path(path: str | os.PathLike[str]) -> str:
    """As ``os.path.realpath`` has it, which looks at each part of a path; Linux takes one call."""
    if not hasattr(os, "O_PATH"):
        return os.path.realpath(path)
    try:
        descriptor = os.open(path, os.O_PATH)
    except OSError:  # it is not there
        return os.path.realpath(path)
    try:
        real = os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:  # there is no /proc
        real = ""
    finally:
        os.close(descriptor)
    return real if real.startswith("/") else os.path.realpath(path)


def rename_folder(source: Path, target: Path) -> None:
    """Rename a folder; piece by piece where its file system cannot do that in one.

    So it is with folders of a container image (overlayfs): only their files can be renamed.
    """
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV or source.is_symlink() or not source.is_dir():
            raise
        refuse_volumes(source)
        merge_folder(source, target)


def move_aside(live: Path, aside: Path) -> None:
    """Rename a folder so that a kill cannot leave half of it: ``aside`` is whole, or not there."""
    rename_folder(live, _going(aside))
    os.rename(_going(aside), aside)


def return_half(aside: Path, live: Path) -> None:
    """Put back what ``move_aside`` had moved when it was cut off; nothing there is no error."""
    going = _going(aside)
    if not os.path.lexists(going):
        return
    if os.path.lexists(live):
        merge_folder(going, live)
    else:
        os.rename(going, live)


def _going(aside: Path) -> Path:
    return aside.with_name(f"{aside.name}.going")


def merge_folder(source: Path, target: Path) -> None:
    """Move all that is in a folder into another one, which may be there; the first one goes."""
    os.makedirs(target, exist_ok=True)
    with os.scandir(source) as entries:
        found = list(entries)
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            merge_folder(Path(entry.path), target / entry.name)
        else:
            os.replace(entry.path, target / entry.name)
    os.rmdir(source)


def remove_tree(path: Path, *, may_hold_volumes: bool = True) -> None:
    """Remove a file, a link or a whole folder; nothing there is no error.

    Args:
        may_hold_volumes: whether to look, which takes a while; no one mounts any in a folder of a
            random name.
    Raises:
        OSError: it cannot be; or a volume is mounted in it, and then nothing is removed.
    """
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if not stat.S_ISDIR(mode):
        path.unlink(missing_ok=True)
        return
    if may_hold_volumes:
        refuse_volumes(path)
    _remove_folder(str(path))


def discard(path: Path) -> None:
    """Remove what is of no use any more; what cannot be removed hides no error, and stays."""
    with suppress(OSError):
        remove_tree(path)


def empty_folder(
    folder: str | os.PathLike[str], stays: str = "", *, may_hold_volumes: bool = True
) -> None:
    """Remove what is in a folder; what is no folder goes itself.

    Args:
        stays: the name of a folder in it that is only emptied.
        may_hold_volumes: as ``remove_tree`` has it.
    """
    if os.path.islink(folder) or not os.path.isdir(folder):
        remove_tree(Path(folder))
        return
    if may_hold_volumes:
        refuse_volumes(Path(folder), itself=False)
    _remove_content(os.fspath(folder), stays)


def refuse_volumes(folder: Path, *, itself: bool = True) -> None:
    """Raise an OSError where something is mounted in a folder: that is not ours to empty."""
    points = mounted_in(folder)
    if not itself and os.path.realpath(folder) in points:
        points.remove(os.path.realpath(folder))
    if points:
        raise OSError(errno.EBUSY, "a volume is mounted in it", points[0])


def _remove_folder(path: str) -> None:
    # shutil.rmtree would do, but its import brings all compressors: 4 ms of every run.
    _remove_content(path)
    os.rmdir(path)


def _remove_content(path: str, stays: str = "") -> None:
    folders = [path]
    for folder in folders:  # more are added meanwhile, each behind the one that it is in
        with os.scandir(folder) as entries:
            found = list(entries)
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                os.unlink(entry.path)
    kept = f"{path}/{stays}" if stays else path
    for folder in reversed(folders[1:]):
        if folder != kept:
            os.rmdir(folder)
