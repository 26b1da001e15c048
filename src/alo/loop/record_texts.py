"""Which records of a review have a text in what the model was given.

The texts of a run are read once and kept in memory, in one piece: it is searched in no time.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from alo.errors import AloError
from alo.history.browse import History
from alo.layout import Workspace
from alo.loop.kept_lately import KeptLately
from alo.loop.record_inputs import record_inputs, run_files
from alo.review.results.kept_inputs import KeptInputs
from alo.review.results.tables import tables_of
from alo.review.rows import PopulationRun, Review
from alo.review.settings import REQUEST

MOST = 1 << 26  # characters of all texts that are kept
END = "\0"  # of a record


def places_with(workspace: Workspace, review: Review, text: str) -> set[int]:
    """The places in the population of the records whose input has it, whatever the case.

    What cannot be read of a run has no text.
    """
    wanted, found = _searched(text), set[int]()
    if END in wanted:
        return found
    copies, history = _stamp(KeptInputs(workspace, review).path), History(workspace)
    for run in review.runs:
        stamps = (copies, *_stamps(history, run.id))
        key = _Key(str(workspace.home), review.number, review.created, run.id, stamps)
        texts = _kept.get(key)
        if texts is None:
            made = _read(workspace, review, run)
            texts = _kept.keep(key, made, len(made))
        found.update(run.first + row for row in texts.rows_with(wanted))
    return found


_Stamp = tuple[int, int]  # size and time of a file


class _Key(NamedTuple):
    """What the texts of a run depend on."""

    home: str
    review: int
    created: str
    run: str
    stamps: tuple[_Stamp, ...]


class _Texts:
    """What the records of a run have been given, in the order of their rows."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._begins, pieces, length = array("Q"), list[str](), 0
        for text in texts:
            self._begins.append(length)
            pieces.append(text)
            length += len(text) + len(END)
        self._begins.append(length)
        self._whole = END.join([*pieces, ""])

    def __len__(self) -> int:
        return len(self._whole)

    def rows_with(self, wanted: str) -> Iterator[int]:
        at = self._whole.find(wanted)
        while 0 <= at < len(self._whole):
            row = bisect_right(self._begins, at) - 1
            yield row
            at = self._whole.find(wanted, self._begins[row + 1])


_kept = KeptLately[_Key, _Texts](MOST)


def _read(workspace: Workspace, review: Review, run: PopulationRun) -> _Texts:
    rows = range(1 if review.unit == REQUEST else run.records)
    records = [review.record_id(run.first + row) for row in rows]
    inputs = record_inputs(workspace, review, records)
    return _Texts(_searched("\n".join(inputs[record].values)) for record in records)


def _searched(text: str) -> str:
    """A text as it is compared, whatever its case, and however its syllables are made."""
    return (text if text.isascii() else normalize("NFC", text)).casefold()


def _stamps(history: History, run_id: str) -> Iterator[_Stamp]:
    """Of the tables of a run; none: it is gone, or cannot be read."""
    try:
        yield from map(_stamp, tables_of(run_files(history.find(run_id))))
    except (AloError, OSError):
        return


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns
