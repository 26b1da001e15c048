"""Entries of history are built and removed here; names.py says how they are called and read.

Hidden is what is being built, or being removed; what a killed process left of either is swept here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from alo.claims import left_behind, locked_folder
from alo.files import discard, refuse_volumes, rename_folder, set_mode
from alo.history.entries.names import is_hidden, names_in
from alo.layout import Workspace
from alo.mounts import mounted_in
from alo.real_names import real_names

_BUILDING = ".building"
_REMOVING = ".removing"
_UNSEALED = ".unsealed"  # beside train/ and inference/: names of entries that are not sealed yet


@contextmanager
def building(folder: Path, name: str) -> Iterator[Path]:
    """A hidden folder to build an entry in; it gets its name when the block ends well."""
    folder.mkdir(parents=True, exist_ok=True)
    build, descriptor = locked_folder(lambda: folder / f".{name}.{os.urandom(4).hex()}{_BUILDING}")
    try:
        with real_names({build: folder / name}):
            yield build
            os.rename(build, folder / name)
    except BaseException:
        delete(build)
        raise
    finally:
        os.close(descriptor)


def mark_unsealed(entry: Path) -> None:
    """Note of an entry, best before it is there, that ``seal`` has to look after it."""
    mark = _unsealed_mark(entry)
    mark.parent.mkdir(exist_ok=True)
    mark.touch()


def unmark_unsealed(entry: Path) -> None:
    """The entry is sealed, or is no more."""
    with suppress(OSError):
        _unsealed_mark(entry).unlink(missing_ok=True)


def unsealed_entries(workspace: Workspace) -> list[Path]:
    """The entries that someone has begun to seal, or should have; they may be gone."""
    try:
        names = os.listdir(workspace.history / _UNSEALED)
    except OSError:
        return []
    return [workspace.history.joinpath(*name.split(" ", 1)) for name in names]


def _unsealed_mark(entry: Path) -> Path:
    kind = entry.parent
    return kind.parent / _UNSEALED / f"{kind.name} {entry.name}"


def put_away(folder: Path) -> bool:
    """Remove and count an entry: at once for all who look, whatever happens while its files go.

    Returns:
        whether it was there.
    Raises:
        OSError: it stays, for the right to remove it lacks, or a volume is mounted in it.
    """
    if not folder.is_symlink():
        refuse_volumes(folder)
    hidden = folder.with_name(f".{folder.name}.{os.urandom(4).hex()}{_REMOVING}")
    try:
        with real_names({hidden: folder}):
            rename_folder(folder, hidden)
    except FileNotFoundError:
        return False
    from alo.history.entries.not_kept import note_not_kept  # few runs remove one

    note_not_kept(folder.parents[1], folder.parent.name)
    delete(hidden)
    return True


def sweep(folder: Path) -> bool:
    """Remove what killed processes left half built or half removed.

    Returns:
        whether nothing is being built or removed, either.
    """
    try:
        hidden = [folder / name for name in names_in(folder) if is_hidden(name)]
    except OSError:
        return False
    for path in hidden:
        if path.name.endswith(_REMOVING):
            delete(path)
        elif path.name.endswith(_BUILDING):
            with suppress(OSError), left_behind(path) as is_left:
                if is_left:
                    delete(path)
    return not any(path.exists() for path in hidden)


def delete(folder: Path) -> None:
    """Delete a hidden folder as far as it can be: someone may be reading or sealing it still."""
    discard(folder)
    if folder.exists() and not mounted_in(folder):  # folders that their owner made read-only
        for parent, _, _ in os.walk(folder):
            set_mode(parent, 0o700)
        discard(folder)
