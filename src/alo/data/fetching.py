"""Fetch objects into files: many at once, large ones in parts, each tried again until it is whole.

What was fetched of a large object by a try that broke off is kept beside a list of its parts, so
that the next try fetches the others only.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import xxhash

from alo.data.copying import Progressed
from alo.data.location import Access, RemoteLocation, SourceFile
from alo.data.stores import (
    Changed,
    Gone,
    NoRanges,
    Place,
    Refused,
    StoreFault,
    etag_of,
    faults_translated,
    key_of,
    open_place,
    quoted_etag,
)
from alo.files import CHUNK, checksum_of

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta

WORKERS = 12
PART = 16 << 20  # what is larger is fetched in parts of this size
PARTS_AT_ONCE = 5  # bounds the memory
TRIES = 6
FIRST_PAUSE_S = 0.1


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
        StoreFault: an object cannot be had, or is no longer what was listed.
    """
    places = _Places(access)
    with ThreadPoolExecutor(WORKERS, "fetch") as pool:
        try:
            small = [file for file in files if file.size <= PART]
            jobs = [
                pool.submit(_fetch_whole, places.of(file), file, root / file.name) for file in small
            ]
            for job in as_completed(jobs):
                fetched = job.result()
                progressed(fetched.file.size)
                yield fetched
            for file in files:
                if file.size > PART:
                    yield _fetch_large(
                        pool, places.of(file), file, root / file.name, partial, progressed
                    )
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class _Places:
    """One connection for all files of a bucket."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._known: dict[str, Place] = {}

    def of(self, file: SourceFile) -> Place:
        scheme, _, rest = file.path.partition("://")
        bucket, _, key = rest.partition("/")
        if (place := self._known.get(bucket)) is None:
            place = open_place(RemoteLocation(f"{scheme}://{bucket}", self._access))
            self._known[bucket] = place
        return place._replace(key=key_of(file.path, key))


def _fetch_whole(place: Place, file: SourceFile, target: Path) -> Fetched:
    content = _again(lambda: _get(place, file, 0, file.size))
    target.write_bytes(content)
    os.utime(target, ns=(file.mtime_ns, file.mtime_ns))
    return Fetched(file, xxhash.xxh3_128_hexdigest(content), os.stat(target))


def _again(fetch: Callable[[], memoryview]) -> memoryview:
    """Try more than once; what a store means by its answer is not asked again."""
    for attempt in range(TRIES):
        try:
            return fetch()
        except (Gone, Changed, NoRanges, Refused):
            raise
        except StoreFault:
            if attempt == TRIES - 1:
                raise
        time.sleep(FIRST_PAUSE_S * 2**attempt)
    raise AssertionError("not reached")


def _get(place: Place, file: SourceFile, start: int, end: int) -> memoryview:
    import obstore

    options: GetOptions = {}
    if file.etag:
        options["if_match"] = quoted_etag(file.etag)
    if (start, end) != (0, file.size):
        options["range"] = (start, end)
    with faults_translated(file.path):
        result = obstore.get(place.store, place.key, options=options)
        _check_identity(file, result.meta)
        content = memoryview(result.bytes())
    if len(content) != end - start:
        raise StoreFault(f"{file.path}: {len(content):,} of {end - start:,} bytes came")
    return content


def _check_identity(file: SourceFile, meta: ObjectMeta) -> None:
    if etag_of(meta) != file.etag:
        raise Changed(f"{file.path} was replaced meanwhile")
    if meta["size"] != file.size:
        fault = (
            StoreFault if file.etag else Changed
        )  # an ETag stands for the content, so for its size
        raise fault(f"{file.path}: {meta['size']:,} instead of {file.size:,} bytes")


def _fetch_large(
    pool: ThreadPoolExecutor,
    place: Place,
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
                jobs[pool.submit(_fetch_part, place, file, start)] = start
            done = next(as_completed(jobs))
            start = jobs.pop(done)
            progressed(parts.keep(start, done.result()))
        return parts.finish(target)
    except NoRanges:
        parts.drop()
        return _fetch_stream(place, file, target, progressed)
    finally:
        parts.close()


def _fetch_part(place: Place, file: SourceFile, start: int) -> memoryview:
    return _again(lambda: _get(place, file, start, min(start + PART, file.size)))


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
        os.utime(self._descriptor, ns=(self._file.mtime_ns, self._file.mtime_ns))
        try:
            os.rename(self._content, target)
        except OSError:  # another file system
            import shutil

            shutil.copyfile(self._content, target)
            os.utime(target, ns=(self._file.mtime_ns, self._file.mtime_ns))
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


def _fetch_stream(place: Place, file: SourceFile, target: Path, progressed: Progressed) -> Fetched:
    """A large file from a server that sends whole files only."""
    import obstore

    digest, done = xxhash.xxh3_128(), 0
    with faults_translated(file.path), open(target, "wb") as copy:
        result = obstore.get(place.store, place.key)
        _check_identity(file, result.meta)
        for piece in result.stream(min_chunk_size=CHUNK):
            digest.update(piece)
            copy.write(piece)
            done += len(piece)
            progressed(len(piece))
    if done != file.size:
        raise StoreFault(f"{file.path}: {done:,} of {file.size:,} bytes came")
    os.utime(target, ns=(file.mtime_ns, file.mtime_ns))
    return Fetched(file, digest.hexdigest(), os.stat(target))
