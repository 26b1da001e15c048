"""Where this machine has the folders that tasks name by their digests."""

from __future__ import annotations

from pathlib import Path

from alo.errors import ExecutorError
from alo.executors.listing import list_folder
from alolib.disk import fix_of


class Depot:
    """Folders by their digests; whoever makes an executor gives it one.

    The folders stay where they are, and are not to change while tasks use them. Two with the same
    content have the same digest.
    """

    def __init__(self) -> None:
        self._folders: dict[str, Path] = {}

    def add_folder(self, path: Path) -> str:
        """Have a folder found by its digest, which is returned.

        Raises:
            ExecutorError: it cannot be read.
        """
        try:
            digest = list_folder(path).digest
        except OSError as error:
            raise ExecutorError(
                f"a folder for a task cannot be read: {error.strerror or error}",
                where=str(error.filename or path),
                fix=fix_of(error, other="see that it is there, and may be read"),
            ) from error
        self._folders.setdefault(digest, path.resolve())
        return digest

    def forget(self, digest: str) -> None:
        """The folder of this digest is wanted no more, and may be removed."""
        self._folders.pop(digest, None)

    def folder(self, digest: str) -> Path:
        """Where the folder of this digest is.

        Raises:
            ExecutorError: no such folder was added.
        """
        try:
            return self._folders[digest]
        except KeyError:
            raise ExecutorError(
                f"no folder with the digest {digest} is known here",
                fix="add it with Depot.add_folder before the task is submitted",
            ) from None
