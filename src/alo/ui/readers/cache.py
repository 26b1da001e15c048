"""What was made of files of runs: in ``.alo/``, which may be deleted at any time."""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

MOST_BYTES = 4 << 30  # of all that is kept; what was used longest ago goes first


class FileCache:
    """A folder of files made from others.

    Args:
        folder: is made when something is put there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, source: Path, what: str, suffix: str) -> Path:
        """Where what was made of a file is; another place once the file is another.

        Args:
            what: what was made of it, with all that it depends on.
        """
        status = source.stat()
        parts = (str(source), str(status.st_size), str(status.st_mtime_ns), what)
        name = blake2b("\0".join(parts).encode("utf-8", "surrogateescape"), digest_size=16)
        return self.folder / f"{name.hexdigest()}{suffix}"

    def new(self, target: Path) -> Path:
        """Where a file is written before it is renamed to its place."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return target.with_name(f".{target.name}.{os.urandom(6).hex()}")

    def sweep(self, most: int = MOST_BYTES) -> None:
        """Remove what was used longest ago, until the rest is small enough."""
        found = []
        with suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    status = entry.stat()
                    found.append((status.st_mtime_ns, status.st_size, entry.path))
        left = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if left <= most:
                return
            with suppress(OSError):
                os.unlink(path)
            left -= size
