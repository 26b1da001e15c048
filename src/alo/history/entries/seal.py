"""Seal a large entry when its run has ended, in a process that is in no one's way.

A file that the entry shares with the artifacts folder under a second name gets a copy in its place,
and the checksums are taken. Until then the entry is as whole as after it, only not safe from who
writes *into* a file of the artifacts: no run begins before its predecessors are sealed.

``python -m alo.history.entries.seal ENTRY``. It may be killed, started again or overtaken by
the removal of the entry at any point: copies and checksums come whole or not at all.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from alo.copies import copy_and_hash
from alo.files import alone_with, sweep_leftovers, temporary_beside
from alo.history.entries.checksums import (
    ALTERED,
    CHECKSUMS,
    Checksum,
    content_checksum,
    read_checksums,
    stamp,
    write_checksums,
)
from alo.history.entries.folders import unmark_unsealed, unsealed_entries
from alo.layout import Workspace

LOWEST_PRIORITY = 19
# Not -m: that would look for alo, and for all it imports, in the user's current folder first.
_PROGRAM = (
    "import sys; sys.path[0] = sys.argv[1]; from alo.history.entries.seal import main; main()"
)

SHELL = "/bin/sh"
# Small, and waiting within a millisecond: until no one has the other end of its input any more.
_WAIT = 'trap "" HUP INT; read -r line; exec "$@"'

_started: list[int] = []  # processes of ours that may have ended since
_gates: list[int] = []  # ends of pipes: who waits at the other end begins when they are closed
_is_gated = False


def seal(entry: Path) -> None:
    """Fill in what is missing in the entry's checksums; waits for another who is at it.

    Raises:
        OSError: the entry is no longer there, or there is no room for a copy.
        ValueError: its list of checksums is damaged.
    """
    with alone_with(entry):
        recorded = read_checksums(entry)
        if not all(each.checksum for each in recorded.values()):
            sweep_leftovers((entry / CHECKSUMS).parent)
            sealed = {name: _taken(entry, name, each) for name, each in recorded.items()}
            write_checksums(entry, sealed)


def seal_what_is_left(workspace: Workspace) -> dict[str, OSError]:
    """Seal all that runs of this workspace have left unsealed.

    Returns:
        id → why it cannot be: such an entry is as whole as the others, and is tried again.
    """
    failed = {}
    for entry in unsealed_entries(workspace):
        try:
            seal(entry)
        except (FileNotFoundError, NotADirectoryError, ValueError):  # it is gone, or damaged
            pass
        except OSError as error:
            failed[entry.name] = error
            continue
        unmark_unsealed(entry)
    return failed


def seal_in_background(entry: Path) -> None:
    """Start sealing, and return; should it be cut off, ``alo history verify`` takes it up."""
    _forget_ended()
    if not sys.executable:  # Python inside another program
        return
    argv = [sys.executable, "-c", _PROGRAM, _import_root(), os.fspath(entry)]
    with suppress(OSError):  # no memory or no process to be had: the run itself is safe
        if _is_gated:
            _start_gated(argv)
        else:
            _start(argv, (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0))


def seal_after_us() -> None:
    """From now on seal only once this process has ended, however it does.

    For a process that ends with its run: its last moments are the run's too, and a second Python
    that starts meanwhile would slow them down.
    """
    global _is_gated
    _is_gated = os.access(SHELL, os.X_OK)


def seal_now() -> None:
    """This process lives on: let all begin that waits for its end."""
    global _is_gated
    _is_gated = False
    while _gates:
        os.close(_gates.pop())


def main() -> None:
    """The program: seal the entry that the last word names."""
    os.setsid()  # Ctrl-C at the terminal is not meant for us
    os.nice(LOWEST_PRIORITY)
    try:
        os.chdir(sys.argv[-1])  # from here on the entry may be renamed
        seal(Path())
        unmark_unsealed(Path(sys.argv[-1]))
    except (OSError, ValueError):  # removed meanwhile, or damaged
        sys.exit(1)


def _taken(entry: Path, name: str, recorded: Checksum) -> Checksum:
    """With the checksum of the file, if it is still the one that was recorded."""
    if recorded.checksum:
        return recorded
    path = os.fspath(entry / name)
    try:
        is_shared = os.lstat(path).st_nlink > 1
        taken = _separate(entry, path) if is_shared else stamp(path, content_checksum(path))
    except FileNotFoundError:
        return recorded._replace(checksum=ALTERED)
    return taken if taken[:2] == recorded[:2] else recorded._replace(checksum=ALTERED)


def _separate(entry: Path, path: str) -> Checksum:
    """Put a copy in the place of a file that has other names too."""
    copy = temporary_beside(entry / CHECKSUMS)  # where what a kill leaves is swept
    try:
        digest = copy_and_hash(path, copy)
        taken = stamp(path, digest)  # after the copy, to see what was written meanwhile
        os.replace(copy, path)
    finally:
        with suppress(OSError):
            os.unlink(copy)
    return taken


def _start_gated(argv: list[str]) -> None:
    """Start a program that begins when our end of a pipe is closed, as a kill does it too."""
    waiting, gate = os.pipe()
    try:
        _start([SHELL, "-c", _WAIT, SHELL, *argv], (os.POSIX_SPAWN_DUP2, waiting, 0))
    except BaseException:
        os.close(gate)
        raise
    finally:
        os.close(waiting)
    _gates.append(gate)


def _start(argv: list[str], its_input: tuple[Any, ...]) -> None:
    silent = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
    actions = [its_input, *silent]
    _started.append(os.posix_spawn(argv[0], argv, os.environ, file_actions=actions))


def _import_root() -> str:
    return os.fspath(Path(__file__).resolve().parents[2])


def _forget_ended() -> None:
    for pid in list(_started):
        try:
            ended, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:  # someone else has waited for it
            ended = pid
        if ended:
            _started.remove(pid)


if __name__ == "__main__":
    main()
