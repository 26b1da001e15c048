"""Fetch objects into files: many at once, large ones in parts, each tried again until it is whole.

What was fetched of a large object by a try that broke off is kept next to a list of its parts, so
that the next try fetches the others only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol

import xxhash

from alo.data.copying import Progressed
from alo.data.location import Access, RemoteLocation, SourceFile
from alo.data.remote.faults import NoRangesError, ObjectStoreError, again
from alo.files import CHUNK, checksum_of, discard, set_time

if TYPE_CHECKING:
    from alo.data.remote.object_store import Place

WORKERS = 12
PART = 16 << 20  # what is larger is fetched in parts of this size
PARTS_AT_ONCE = 5  # bounds the memory


class Fetched(NamedTuple):
    """A file that has come in."""

    file: SourceFile
    checksum: str
    status: os.stat_result


def fetch_all(
    files: Sequence[SourceFile], root: Path, partial: Path, access: Access, progressed: Progressed
) -> Iterator[Fetched]:
    """Fetch files to their names below ``root``, whose folders are there; yields each when whole.

    Args:
        partial: a folder for what has come of large files.
    Raises:
        ObjectStoreError: an object cannot be had, or is no longer what was listed.
    """
    sources = _Sources(access)
    with ThreadPoolExecutor(WORKERS, "fetch") as pool:
        try:
            jobs = [
                pool.submit(_fetch_small, sources.of(file), file, root / file.name, partial)
                for file in files
                if file.size <= PART
            ]
            for job in as_completed(jobs):
                fetched = job.result()
                progressed(fetched.file.known_size)
                yield fetched
            for file in files:
                if file.size > PART:
                    yield _fetch_large(
                        pool, sources.of(file), file, root / file.name, partial, progressed
                    )
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class Source(Protocol):
    """Where the content of a file comes from."""

    is_sure: bool  # whether the sender said where the content that came last ends

    def get(self, file: SourceFile, start: int, end: int) -> memoryview:
        """Some of its bytes."""

    def stream(self, file: SourceFile) -> Iterator[bytes]:
        """All of it; what is not whole ends with an error."""


class _Sources:
    """One connection for all files of a bucket."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._stores: dict[str, Place] = {}

    def of(self, file: SourceFile) -> Source:
        if file.path.startswith("http"):
            from alo.data.remote.web_files import WebSource

            return WebSource()
        from alo.data.remote.object_store import StoreSource, open_place

        scheme, _, rest = file.path.partition("://")
        bucket, _, key = rest.partition("/")
        if (place := self._stores.get(bucket)) is None:
            place = open_place(RemoteLocation(f"{scheme}://{bucket}", self._access))
            self._stores[bucket] = place
        return StoreSource(place._replace(key=key))


def _fetch_small(source: Source, file: SourceFile, target: Path, partial: Path) -> Fetched:
    """Of a size that memory has room for, or of one that is not known."""
    if file.size < 0:
        return again(lambda: _fetch_stream(source, file, target, partial, lambda size: None))
    content = again(lambda: source.get(file, 0, file.size))
    try:
        target.write_bytes(content)
    except BaseException:  # half a file must not be there
        discard(target)
        raise
    set_time(target, file.mtime_ns)
    return Fetched(file, xxhash.xxh3_128_hexdigest(content), os.stat(target))


def _fetch_large(
    pool: ThreadPoolExecutor,
    source: Source,
    file: SourceFile,
    target: Path,
    partial: Path,
    progressed: Progressed,
) -> Fetched:
    parts = _Parts(partial, file)
    try:
        jobs: dict[Future[memoryview], int] = {}
        waiting = parts.missing()
        progressed(file.size - sum(min(PART, file.size - start) for start in waiting))
        while waiting or jobs:
            while waiting and len(jobs) < PARTS_AT_ONCE:
                start = waiting.pop(0)
                jobs[pool.submit(_fetch_part, source, file, start)] = start
            done = next(as_completed(jobs))
            start = jobs.pop(done)
            progressed(parts.keep(start, done.result()))
        return parts.finish(target)
    except NoRangesError:
        parts.drop()
        return again(lambda: _fetch_stream(source, file, target, partial, progressed))
    finally:
        parts.close()


def _fetch_part(source: Source, file: SourceFile, start: int) -> memoryview:
    return again(lambda: source.get(file, start, min(start + PART, file.size)))


class _Parts:
    """A large file as far as it has come: its content, and the list of the parts that are there."""

    def __init__(self, folder: Path, file: SourceFile) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        identity = repr((file.path, file.version, PART)).encode("utf-8", "surrogateescape")
        self._file = file
        self._content = folder / checksum_of(identity)
        self._list = self._content.with_suffix(".parts")
        self._there = self._read_list()
        self._descriptor = os.open(self._content, os.O_RDWR | os.O_CREAT, 0o666)
        self._digest, self._hashed = xxhash.xxh3_128(), 0

    def missing(self) -> list[int]:
        return [start for start in range(0, self._file.size, PART) if start not in self._there]

    def keep(self, start: int, content: memoryview) -> int:
        done = 0
        while done < len(content):
            done += os.pwrite(self._descriptor, content[done:], start + done)
        with open(self._list, "a") as lines:
            lines.write(f"{start}\n")
        self._there.add(start)
        self._hash_on()
        return len(content)

    def finish(self, target: Path) -> Fetched:
        self._hash_on()
        _move(self._content, target, self._file.mtime_ns)
        self.drop()
        return Fetched(self._file, self._digest.hexdigest(), os.stat(target))

    def drop(self) -> None:
        self._content.unlink(missing_ok=True)
        self._list.unlink(missing_ok=True)

    def close(self) -> None:
        os.close(self._descriptor)

    def _read_list(self) -> set[int]:
        """Starts of parts; a last line that a kill cut short is of no use."""
        try:
            lines = self._list.read_text("ascii").split("\n")[:-1]
            size = self._content.stat().st_size
            starts = {int(line) for line in lines}
        except (OSError, ValueError):
            self.drop()
            return set()
        return {start for start in starts if min(start + PART, self._file.size) <= size}

    def _hash_on(self) -> None:
        """Take the checksum as far as there is no gap, out of the page cache."""
        while self._hashed in self._there:
            end = min(self._hashed + PART, self._file.size)
            for at in range(self._hashed, end, CHUNK):
                self._digest.update(os.pread(self._descriptor, min(CHUNK, end - at), at))
            self._hashed = end


def _fetch_stream(
    source: Source, file: SourceFile, target: Path, partial: Path, progressed: Progressed
) -> Fetched:
    """A file that is sent whole only."""
    partial.mkdir(parents=True, exist_ok=True)
    identity = checksum_of(file.path.encode("utf-8", "surrogateescape"))
    content = partial / f"{identity}.whole"
    try:
        with open(content, "wb") as copy:
            digest = _receive(source, file, copy, progressed)
        if not source.is_sure and _receive(source, file) != digest:
            raise ObjectStoreError(f"{file.path}: it was cut off, or is another one each time")
        _move(content, target, file.mtime_ns)
    finally:
        discard(content)
    return Fetched(file, digest, os.stat(target))


def _receive(
    source: Source,
    file: SourceFile,
    copy: BinaryIO | None = None,
    progressed: Progressed = lambda size: None,
) -> str:
    """The checksum of what comes; kept in ``copy``, where there is one."""
    digest = xxhash.xxh3_128()
    for piece in source.stream(file):
        digest.update(piece)
        if copy is not None:
            copy.write(piece)
            progressed(len(piece))
    return digest.hexdigest()


def _move(content: Path, target: Path, mtime_ns: int) -> None:
    set_time(content, mtime_ns)
    try:
        os.rename(content, target)
    except OSError:  # another file system
        import shutil

        shutil.copyfile(content, target)
        set_time(target, mtime_ns)
