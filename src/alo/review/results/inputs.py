"""What a model was given for one record, as people see it and as it is learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from alo.review.results.cases import content_of_picture
from alo.tables.content import row_content


class RecordInput(NamedTuple):
    """What a model was given for one record."""

    record: str
    columns: Sequence[str] = ()  # none of pictures and of whole requests
    values: Sequence[str] = ()  # as many
    picture: Path | None = None
    files: Mapping[str, Path] = {}  # of a whole request, by name
    table: str = ""  # of the input, by its path in the input folder; empty: it is of the output
    row: int | None = None  # of that table, from 0
    key: str = ""  # the value of the column that joins output and input
    model: str = ""  # the train run whose model was asked
    why: str = ""  # why there is no input

    def content(self, label: str) -> tuple[str, str]:
        """The content id of a row or a picture, or why it has none.

        Args:
            label: the column of the train data that is no part of the case.
        """
        if self.why:
            return "", self.why
        if self.picture is None:
            return _content_of(tuple(self.columns), label)(self.values), ""
        return content_of_picture(self.picture)


_content_of = lru_cache(maxsize=8)(row_content)  # the rows of a run have the same columns
