"""Take the checksums of a large entry when its run has ended, in a process that is in no one's way.

``python -m alo.history.seal ENTRY``. It may be killed, started again or overtaken by the entry's
removal at any point: the checksums are written whole or not at all.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from alo.files import alone_with, is_leftover
from alo.history.checksums import (
    ALTERED,
    CHECKSUMS,
    Checksum,
    content_checksum,
    read_checksums,
    stamp,
    write_checksums,
)

LOWEST_PRIORITY = 19
# Not -m: that would look for alo, and for all it imports, in the user's current folder first.
_PROGRAM = "import sys; sys.path[0] = sys.argv[1]; from alo.history.seal import main; main()"

_started: list[int] = []  # processes of ours that may have ended since


def seal(entry: Path) -> None:
    """Fill in what is missing in the entry's checksums; waits for another who is at it.

    Raises:
        OSError: the entry is no longer there.
        ValueError: its list of checksums is damaged.
    """
    with alone_with(entry):
        recorded = read_checksums(entry)
        if all(each.checksum for each in recorded.values()):
            return
        sealed = {name: _taken(entry / name, each) for name, each in recorded.items()}
        for path in (entry / CHECKSUMS).parent.iterdir():
            if is_leftover(path.name):
                path.unlink(missing_ok=True)
        write_checksums(entry, sealed)


def seal_in_background(entry: Path) -> None:
    """Start sealing and go on; should it not come to an end, ``alo history verify`` takes it up."""
    _forget_ended()
    if not sys.executable:  # Python inside another program
        return
    argv = [sys.executable, "-c", _PROGRAM, _import_root(), os.fspath(entry)]
    nothing = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in range(3)]
    try:
        _started.append(os.posix_spawn(sys.executable, argv, os.environ, file_actions=nothing))
    except OSError:  # no memory or no process to be had: the run itself is safe
        return


def main() -> None:
    """The program: seal the entry that the last word names."""
    os.setsid()  # Ctrl-C at the terminal is not meant for us
    os.nice(LOWEST_PRIORITY)
    try:
        os.chdir(sys.argv[-1])  # from here on the entry may be renamed
        seal(Path())
    except (OSError, ValueError):  # removed meanwhile, or damaged
        sys.exit(1)


def _taken(path: Path, recorded: Checksum) -> Checksum:
    """With the checksum of the file, if it is still the one that was recorded."""
    if recorded.checksum:
        return recorded
    try:
        now = stamp(os.fspath(path), content_checksum(os.fspath(path)))
    except FileNotFoundError:
        return recorded._replace(checksum=ALTERED)
    return now if now[:2] == recorded[:2] else recorded._replace(checksum=ALTERED)


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
