"""Pack a run's artifacts into archives: what is in two of them is read and compressed once."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

from alo.data.archives.blocks import BLOCK_BYTES, Compress, compressing
from alo.data.archives.tar_writer import TarGzWriter
from alo.errors import ExportError

SHARED_FROM = 32 << 10  # smaller files are compressed together with their neighbours


class Member(NamedTuple):
    """A file or folder to be packed."""

    path: str
    name: str  # below the folder that is packed, with / between parts
    size: int
    mtime: int
    mode: int
    is_folder: bool


class TarTarget(NamedTuple):
    """An archive to write."""

    file: BinaryIO
    prefix: str = (
        ""  # only what is below this folder, named from its inside; "" or with / at its end
    )


def list_members(folder: Path) -> list[Member]:
    """Folders and files below ``folder``, parents first, in the order of their names.

    Links are packed as what they point to: another machine has nothing to follow them to. One
    that points to nothing, or back to a folder above it, has nothing to pack; nor has a pipe.
    """
    return list(_walk(str(folder), "", ()))


def _walk(folder: str, prefix: str, above: tuple[tuple[int, int], ...]) -> Iterator[Member]:
    status = os.stat(folder)
    identity = (status.st_dev, status.st_ino)
    if identity in above:
        return
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        try:
            status = entry.stat()
        except OSError:
            if entry.is_symlink():
                continue
            raise
        name = prefix + entry.name
        if stat.S_ISDIR(status.st_mode):
            yield Member(entry.path, name, 0, int(status.st_mtime), 0o755, True)
            yield from _walk(entry.path, f"{name}/", (*above, identity))
        elif stat.S_ISREG(status.st_mode):
            mode = 0o755 if status.st_mode & stat.S_IXUSR else 0o644
            yield Member(entry.path, name, status.st_size, int(status.st_mtime), mode, False)


def pack_tars(members: Sequence[Member], targets: Sequence[TarTarget]) -> None:
    """Write ``members`` as .tar.gz into each of the targets."""
    with compressing(sum(member.size for member in members)) as compress:
        writers = [(target.prefix, TarGzWriter(target.file, compress)) for target in targets]
        for member in members:
            takers = []
            for prefix, writer in writers:
                name = member.name.removeprefix(prefix)
                if not prefix or (name and name != member.name):
                    takers.append(writer)
                    writer.header(
                        name, member.size, member.mtime, member.mode, is_folder=member.is_folder
                    )
            _pack_content(member, takers, compress)
        for _, writer in writers:
            writer.close()


def _pack_content(member: Member, writers: Sequence[TarGzWriter], compress: Compress) -> None:
    for piece in _pieces(member):
        if (len(writers) > 1 and member.size >= SHARED_FROM) or len(piece) == BLOCK_BYTES:
            block = compress(piece)
            for writer in writers:
                writer.write_block(block)
        else:
            for writer in writers:
                writer.write(piece)
    for writer in writers:
        writer.pad(member.size)


def pack_zip(members: Sequence[Member], file: BinaryIO) -> None:
    """Write ``members`` as .zip."""
    from alo.data.archives.zip_writer import ZipWriter

    size = sum(member.size for member in members)
    with compressing(size) as compress, _in_memory_if(file, is_small=size < BLOCK_BYTES) as target:
        writer = ZipWriter(target, compress)
        for member in members:
            writer.header(
                member.name, member.size, member.mtime, member.mode, is_folder=member.is_folder
            )
            for piece in _pieces(member):
                writer.write_block(compress(piece))
            writer.end()
        writer.close()


@contextmanager
def _in_memory_if(file: BinaryIO, *, is_small: bool) -> Iterator[BinaryIO]:
    """What to write to: a header is written twice, and going back in a file costs three calls."""
    if not is_small:
        yield file
        return
    memory = BytesIO()
    yield memory
    file.write(memory.getbuffer())


def _pieces(member: Member) -> Iterator[bytes]:
    """Exactly as many bytes as the header says, whatever is appended meanwhile (to a log, say)."""
    if member.is_folder:
        return
    left = member.size
    with open(member.path, "rb", buffering=0) as file:
        while left:
            piece = file.read(min(left, BLOCK_BYTES))
            if not piece:
                raise ExportError(
                    f"{member.path} became shorter while it was being packed",
                    fix="see what still writes to the artifacts when the run has ended",
                )
            left -= len(piece)
            yield piece
