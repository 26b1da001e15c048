"""Sources as they were when they were cut: whoever reads one later is refused another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from alo.batch.cutting.shard import Table
from alo.data.location import SourceFile
from alo.errors import StagingError
from alolib.disk import fix_of


@contextmanager
def opened_first(file: SourceFile) -> Iterator[tuple[int, int]]:
    """The descriptor and inode of a file as it was listed.

    Raises:
        StagingError: it cannot be read, or has changed.
    """
    try:
        descriptor = os.open(file.path, os.O_RDONLY)
    except OSError as error:
        raise StagingError(
            f"{file.path}: {error.strerror}", fix=fix_of(error, other="see that it can be read")
        ) from error
    try:
        status = os.fstat(descriptor)
        _refuse_other(file, status, status.st_ino)
        yield descriptor, status.st_ino
        _refuse_other(file, os.fstat(descriptor), status.st_ino)
    finally:
        os.close(descriptor)


@contextmanager
def opened(table: Table) -> Iterator[int]:
    """The descriptor of a table as it was when it was cut.

    Raises:
        StagingError: it cannot be read, or has changed, also while it was used.
    """
    with opened_first(table.file) as (descriptor, inode):
        if inode != table.inode:
            raise changed(table.file)
        yield descriptor


def changed(file: SourceFile) -> StagingError:
    """What is wrong with a file that is not as it was listed."""
    return StagingError(
        f"{file.path} has changed since it was cut into shards",
        fix="begin anew, with --restart, when nothing writes to the data source",
    )


def _refuse_other(file: SourceFile, status: os.stat_result, inode: int) -> None:
    if (status.st_size, status.st_mtime_ns, status.st_ino) != (file.size, file.mtime_ns, inode):
        raise changed(file)
