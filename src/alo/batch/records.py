"""What is on record of a sweep or a batch: files that are whole or not there, read or refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from alo.errors import AloError
from alo.files import write_whole
from alo.json_text import json_bytes, json_object
from alolib.disk import fix_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Records:
    """The files of one kind of work, and the error that each of their faults is."""

    of: str  # sweep or batch
    error: type[AloError]

    def write(self, path: Path, content: object) -> None:
        """Note something as JSON: whole or not at all.

        Raises:
            AloError: the disk does not let us; of the kind of these records, as below.
        """
        with self.writing(path):
            write_whole(path, json_bytes(content, indent=1))

    def read(self, path: Path, form: Callable[[Mapping[str, Any]], T]) -> T:
        """What was noted.

        Args:
            form: makes it of the file's JSON object.
        Raises:
            AloError: nothing was, or it cannot be read.
        """
        with self.reading(self.of, path):
            return form(json_object(path))

    @contextmanager
    def writing(self, path: Path) -> Iterator[None]:
        """Inside, what the disk does not let us write is an error of this kind."""
        try:
            yield
        except OSError as error:
            raise self.error(
                f"the {self.of} cannot be recorded: {error.strerror or error}",
                where=str(path),
                fix=fix_of(error),
            ) from error

    @contextmanager
    def reading(self, what: str, path: Path) -> Iterator[None]:
        """Inside, what is not there or not of its form is an error of this kind."""
        try:
            yield
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self.error(
                f"the {what} cannot be read: {error}",
                where=str(path),
                fix=f"restore it from a backup, or begin another {self.of}",
            ) from error
