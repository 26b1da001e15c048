"""Blobs: files that are never changed, named by their content, and shared by hard links.

A run has a folder with a link to each blob that it uses, and a common pool has one more, by
which other runs find it. A blob in the pool that no run links to is unused. This needs no lock:
whoever links to a blob while it is taken out of the pool has it all the same. New files are
made in a folder of their own and renamed; each is locked until then, so that what a killed
process left is distinguished from what another is writing.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from alo.errors import StoreError
from alo.files import (
    CHUNK,
    claim_temporary,
    discard,
    rename_folder,
    set_mode,
    sweep_leftovers,
    temporary_beside,
)
from alo.store.manifest import Part
from alolib.disk import fix_of, free_bytes, is_full

POOL = "blobs"
UNFINISHED = "unfinished"
DRAFT = "draft"
PIECE = 16 << 20  # written at once
READ_ONLY, WRITABLE = 0o444, 0o600


class Trusted:
    """The parts of files that this process has written or checked, and need not check again.

    Args:
        all_parts: no file is ever checked.
    """

    def __init__(self, *, all_parts: bool = False) -> None:
        self.all_parts = all_parts
        self._seen: set[tuple[int, ...]] = set()

    def add(self, file: os.stat_result, part: Part) -> None:
        """This process has written or checked the part of the file."""
        self._seen.add(_identity(file, part))

    def has(self, file: os.stat_result, part: Part) -> bool:
        """Whether the part need not be checked: it is known, and its file has not changed since."""
        return self.all_parts or _identity(file, part) in self._seen


class BlobDir:
    """The blobs of one run."""

    def __init__(self, root: Path, folder: Path, *others: Path) -> None:
        """``others``: folders next to the pool from which blobs may be taken."""
        self.folder, self._others = folder, others
        self._pool = root / POOL
        self._unfinished = root / UNFINISHED

    def prepare(self) -> None:
        """Make the folders."""
        try:
            for folder in (self.folder, self._pool, self._unfinished):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            place = self._unfinished.parent.parent
            raise _cannot_store("what a step saved", "a new folder", place, error) from error

    def path(self, blob: str) -> Path:
        """Where a blob of the run is."""
        return self.folder / blob

    def draft(self, what: str) -> Draft:
        """A new file; ``what`` it is to hold, for messages."""
        return Draft(self._unfinished, what)

    def take(self, blob: str, size: int) -> bool:
        """Have a blob of at least ``size`` bytes in this folder, from wherever one is."""
        own = self.path(blob)
        if _reaches(own, size):
            return True
        sources = (self._pool, *self._others)
        return any(self._take_from(folder / blob, own, size) for folder in sources)

    def put(self, draft: Draft, blob: str) -> os.stat_result:
        """A finished draft becomes a blob, for other runs too."""
        status = draft.publish(self.path(blob))
        with suppress(OSError):  # where there are no hard links every run has its own
            (self._pool / blob).unlink(missing_ok=True)  # a better one would have been taken
            os.link(self.path(blob), self._pool / blob)
        return status

    def write_over(self, blob: str, draft: Draft) -> None:
        """Have a draft, which is empty, written over a blob that no one needs any more.

        Its pages are there already, so this takes a fifth of writing a new file.
        """
        with suppress(OSError):  # a new file will do
            (self._pool / blob).unlink(missing_ok=True)
            draft.write_over(self.path(blob))

    def drop(self, blob: str) -> None:
        """Forget a damaged blob, so that the next who writes it does not take this one."""
        self.path(blob).unlink(missing_ok=True)
        (self._pool / blob).unlink(missing_ok=True)

    def keep_only(self, blobs: Collection[str]) -> None:
        """Take all other blobs out of the folder."""
        for entry in os.scandir(self.folder):
            if not entry.name.endswith(".json") and entry.name not in blobs:
                os.unlink(entry.path)

    def _take_from(self, source: Path, own: Path, size: int) -> bool:
        if not _reaches(source, size):
            return False
        try:
            os.link(source, own)
        except (FileExistsError, FileNotFoundError):
            return _reaches(own, size)
        except OSError:  # no hard links here, or too many to this file
            with self.draft(f"a copy of {source}") as draft, open(source, "rb", 0) as file:
                draft.append_from(file.fileno(), size=os.fstat(file.fileno()).st_size)
                draft.publish(own)
        return True


class Draft:
    """A file in the making; as a context manager it is gone at the end unless it was published."""

    def __init__(self, folder: Path, what: str) -> None:
        self._folder, self._what = folder, what
        self._path = folder / DRAFT  # until there is a file
        self._file: BinaryIO | None = None
        self.size = 0
        self.needed = 0  # bytes in all, as far as that is known
        self._is_over = False  # over a file that may have been longer

    def __enter__(self) -> Draft:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            discard(self._path)
            with suppress(OSError):
                self._close()

    def append(self, content: bytes | memoryview) -> None:
        """Write at the end.

        Raises:
            StoreError: no room, or whatever the system says.
        """
        view = memoryview(content)
        try:
            descriptor = self._open()
            while len(view):
                written = os.pwrite(descriptor, view[:PIECE], self.size)
                self.size += written
                view = view[written:]
        except OSError as error:
            raise self._failure(error) from error

    def append_from(self, descriptor: int, *, offset: int = 0, size: int) -> None:
        """Write ``size`` bytes of another file at the end."""
        while size and (content := os.pread(descriptor, min(size, CHUNK), offset)):
            self.append(content)
            offset, size = offset + len(content), size - len(content)

    def skip_to(self, position: int) -> None:
        """Continue at a position further on; what is between is a hole."""
        self.size = position

    def write_over(self, path: Path) -> None:
        """Take a file whose content is not needed any more, and begin with that.

        Raises:
            OSError: it is as it was, and the draft will be a new file.
        """
        import fcntl

        os.chmod(path, WRITABLE)
        file = open(path, "r+b", buffering=0)  # noqa: SIM115 - closed with the draft
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # no leftover
            temporary = temporary_beside(self._folder / DRAFT)
            os.rename(path, temporary)
        except OSError:
            file.close()
            raise
        self._path, self._file, self._is_over = temporary, file, True
        set_mode(file.fileno(), READ_ONLY)

    def clear(self) -> None:
        """Begin again."""
        self.size = 0
        if self._file is not None:
            self._file.truncate(0)

    def publish(self, target: Path) -> os.stat_result:
        """Give the file its name, in the place of one that has it."""
        try:
            if self._is_over:
                os.ftruncate(self._open(), self.size)
            status = os.fstat(self._open())
            os.replace(self._path, target)
            self._close()
        except OSError as error:
            raise self._failure(error) from error
        return status

    def _open(self) -> int:
        if self._file is None:
            self._path, self._file = claim_temporary(self._folder / DRAFT)
            set_mode(self._file.fileno(), READ_ONLY)
        return self._file.fileno()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _failure(self, error: OSError) -> StoreError:
        needed = f"{max(self.needed, self.size) / 1e6:,.1f} MB"
        amount = needed if self.needed else f"more than {needed}"
        return _cannot_store(self._what, amount, self._folder.parent, error, written=self.size)


def sweep(root: Path) -> None:
    """Remove what killed processes left unfinished."""
    with suppress(FileNotFoundError):
        sweep_leftovers(root / UNFINISHED, (DRAFT,))
        for entry in os.scandir(root / UNFINISHED):
            if entry.is_dir():
                discard(Path(entry.path))


def remove_runs(root: Path, folders: Iterable[Path]) -> None:
    """Remove the folders of runs, and the blobs that only they used."""
    with suppress(FileNotFoundError):  # where there is no store there is nothing to remove
        (root / UNFINISHED).mkdir(exist_ok=True)
    for folder in folders:
        trash = temporary_beside(root / UNFINISHED / folder.name)
        with suppress(FileNotFoundError):
            rename_folder(folder, trash)  # no one finds half a run
            discard(trash)
    remove_unused(root)


def remove_unused(root: Path) -> None:
    """Remove the blobs that no run has a link to."""
    with suppress(FileNotFoundError):
        for entry in os.scandir(root / POOL):
            with suppress(FileNotFoundError):
                if entry.stat().st_nlink == 1:
                    os.unlink(entry.path)


def _identity(file: os.stat_result, part: Part) -> tuple[int, ...]:
    return (file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns, part.offset)


def _reaches(path: Path, size: int) -> bool:
    """Whether the file is there and long enough: after a power failure it may be shorter."""
    try:
        return os.stat(path).st_size >= size
    except FileNotFoundError:
        return False


def _cannot_store(
    what: str, needed: str, place: Path, error: OSError, *, written: int = 0
) -> StoreError:
    if not is_full(error):
        text = f"{what} cannot be stored: {error.strerror}"
        return StoreError(text, where=str(place), fix=fix_of(error))
    # What was written so far goes away again, and is no room that is missing.
    free = f"{((free_bytes(place) or 0) + written) / 1e6:,.1f} MB"
    return StoreError(
        f"no room left on the disk: storing {what} needs {needed}, {free} are free",
        where=str(place),
        fix=fix_of(error),
    )
