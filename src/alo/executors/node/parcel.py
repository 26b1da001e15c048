"""A folder on its way to another machine: one stream of bytes, its listing first.

The stream is cut into pieces anywhere; what comes out is checked file by file, and there only when
all of it is.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from struct import Struct

import xxhash

from alo.copies import clone_or_copy
from alo.errors import ExecutorError
from alo.executors.listing import Item, Listing, list_folder, listing_of
from alo.files import make_link
from alo.history.entries.tree import FILE, FOLDER, LINK, Found

LENGTH = Struct("!Q")
NO_FILES: Mapping[str, Path] = {}


class Parcel:
    """A folder that can be sent.

    Args:
        listing: what is in it.
        places: where each of its files is, by name; those that are at none are not sent.
    """

    def __init__(self, listing: Listing, places: Mapping[str, Path]) -> None:
        self.listing, self.digest = listing, listing.digest
        content = listing.content
        self._head = LENGTH.pack(len(content)) + content
        self._files = [each for each in listing.items if each.kind == FILE and each.name in places]
        self._places = places
        self._begins = [0, *accumulate(each.size for each in self._files)]
        self.size = len(self._head) + self._begins[-1]

    @classmethod
    def of_folder(cls, folder: Path) -> Parcel:
        """All of a folder.

        Raises:
            OSError: it cannot be read.
        """
        listing = list_folder(folder)
        return cls(listing, {each.name: folder / each.name for each in listing.items})

    @classmethod
    def of_files(cls, places: Mapping[str, Path]) -> Parcel:
        """A folder of files that are anywhere, by the names that they have in it.

        Raises:
            OSError: one cannot be read.
        """
        found = [
            Found(name, str(path), FILE, (status := path.stat()).st_size, status)
            for name, path in places.items()
        ]
        folders = {name for each in places for name in _folders_of(each)}
        found += [Found(name, "", FOLDER) for name in folders]
        return cls(listing_of(found), places)

    def pieces(self, count: int) -> Iterator[bytes]:
        """All of the stream, so many bytes at a time; raises as ``piece`` does."""
        for offset in range(0, self.size, count):
            yield self.piece(offset, count)

    def piece(self, offset: int, count: int) -> bytes:
        """So many bytes of the stream, or fewer at its end.

        Raises:
            ExecutorError: a file is shorter than it was.
            OSError: one cannot be read.
        """
        found = [self._head[offset : offset + count]]
        at = max(0, offset - len(self._head))
        left = count - len(found[0])
        number = bisect_right(self._begins, at) - 1
        while left and number < len(self._files):
            item = self._files[number]
            begin = at - self._begins[number]
            wanted = min(left, item.size - begin)
            found.append(_read(self._places[item.name], begin, wanted))
            left, at, number = left - wanted, at + wanted, number + 1
        return b"".join(found)


def _folders_of(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: at + 1]) for at in range(len(parts))]


def _read(path: Path, begin: int, count: int) -> bytes:
    with open(path, "rb", buffering=0) as file:
        content = os.pread(file.fileno(), count, begin)
        while 0 < len(content) < count and (
            more := os.pread(file.fileno(), count - len(content), begin + len(content))
        ):
            content += more
    if len(content) < count:
        raise ExecutorError(
            f"{path.name} changed while it was sent",
            where=str(path),
            fix="try again when nothing writes to it",
        )
    return content


class Unpacking:
    """A folder that arrives.

    Args:
        folder: where it is made; it is not there yet.
        digest: that its listing must have; empty: any.
        here: files that are not sent, by their checksums: a copy of each is taken.
    """

    def __init__(self, folder: Path, digest: str = "", here: Mapping[str, Path] = NO_FILES) -> None:
        self._folder, self._digest, self._here = folder, digest, here
        self._head, self._due = b"", LENGTH.size  # bytes of the head that have come, and that must
        self._waiting: list[Item] | None = None  # files to come, the next one last
        self._file: _ArrivingFile | None = None
        self.listing = Listing(())

    def take(self, piece: bytes) -> None:
        """The next piece of the stream.

        Raises:
            ExecutorError: it is damaged.
            OSError: there is no room for it.
        """
        view = memoryview(piece)
        if self._waiting is None:
            view = self._take_head(view)
        while self._file is not None and view:
            view = view[self._file.take(view) :]
            if not self._file.left:
                self._end_file()

    def finish(self) -> None:
        """See that all of it has come.

        Raises:
            ExecutorError: it has not.
        """
        if self._waiting is None or self._file is not None:
            raise _damaged(self._folder, "its end is missing")

    def discard(self) -> None:
        """Nothing more comes of it."""
        if self._file is not None:
            self._file.close()

    def _take_head(self, view: memoryview) -> memoryview:
        while len(self._head) < self._due and view:
            wanted = self._due - len(self._head)
            self._head, view = self._head + bytes(view[:wanted]), view[wanted:]
            if len(self._head) == self._due == LENGTH.size:
                self._due += LENGTH.unpack(self._head)[0]
        if len(self._head) == self._due > LENGTH.size:
            self._begin(self._head[LENGTH.size :])
        return view

    def _begin(self, content: bytes) -> None:
        if self._digest and xxhash.xxh3_128_hexdigest(content) != self._digest:
            raise _damaged(self._folder, "its listing is another one")
        try:
            self.listing = Listing.of_content(content)
        except ValueError as error:
            raise _damaged(self._folder, str(error)) from error
        self._folder.mkdir(parents=True)
        waiting = []
        for item in self.listing.items:
            target = self._folder / item.name
            if not target.resolve().is_relative_to(self._folder.resolve()) and item.kind != LINK:
                raise _damaged(self._folder, f"{item.name} leads out of it")
            if item.kind == FOLDER:
                target.mkdir()
            elif item.kind == LINK:
                make_link(item.content, target)
            elif item.content in self._here:
                clone_or_copy(self._here[item.content], target)
            else:
                waiting.append(item)
        self._waiting = waiting[::-1]
        self._next_file()

    def _next_file(self) -> None:
        """Open the next file; those without content are whole at once."""
        while self._waiting:
            item = self._waiting.pop()
            self._file = _ArrivingFile(self._folder / item.name, item)
            if item.size:
                return
            self._file.close()
            self._file = None

    def _end_file(self) -> None:
        assert self._file is not None  # noqa: S101 - of the caller
        done, self._file = self._file, None
        done.close()
        if done.digest != done.item.content:
            raise _damaged(done.path, f"{done.item.name} has another checksum")
        self._next_file()


class _ArrivingFile:
    def __init__(self, path: Path, item: Item) -> None:
        self.path, self.item, self.left = path, item, item.size
        mode = 0o777 if item.is_executable else 0o666
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        self._descriptor = os.open(path, flags, mode)
        self._hash = xxhash.xxh3_128()

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def take(self, view: memoryview) -> int:
        part = view[: self.left]
        self._hash.update(part)
        written = 0
        while written < len(part):
            written += os.write(self._descriptor, part[written:])
        self.left -= written
        return written

    def close(self) -> None:
        os.close(self._descriptor)


def _damaged(where: Path, what: str) -> ExecutorError:
    return ExecutorError(
        f"a folder came damaged: {what}", where=str(where), fix="try again; see to the network"
    )
