"""What a node sends back of a task: the entries of its runs, artifacts, and the result at last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from alo.executors.listing import FILE
from alo.executors.node.link import PIECE
from alo.executors.node.order import ARTIFACTS, ENTRY, OUTPUT, Arriving, Order, Piece
from alo.executors.node.parcel import Parcel
from alo.executors.task import RUN, TRIAL, Done, Result
from alo.files import discard
from alo.history.entries.names import entry_folder
from alo.history.entries.seal import seal
from alo.layout import KINDS, Workspace

PART = PIECE - 4096  # what a message has besides


def returned(order: Order, result: Result, kept: Workspace) -> Iterator[object]:
    """The messages of a task that has ended: folders in pieces, then ``Done``.

    They are removed here once they have been pulled.

    Args:
        kept: whose history has the runs of a trial.
    Raises:
        OSError: something cannot be read.
    """
    if order.task.kind == TRIAL:
        for run in result.runs:
            entry = entry_folder(kept, run.pipeline, run.run_id)
            if entry.is_dir():
                with suppress(ValueError):
                    seal(entry)
                yield from _sent(ENTRY, run.pipeline, entry, Parcel.of_folder(entry))
                discard(entry)
    elif result.output is not None and order.task.kind == RUN:
        for kind in KINDS:
            yield from _sent_run(kind, result.output / kind)
        discard(result.output)
    elif result.output is not None:
        kind = order.task.pipelines[-1]
        yield from _sent(OUTPUT, kind, result.output, Parcel.of_folder(result.output))
        discard(result.output)
    yield Done(replace(result, output=None))


def _sent_run(kind: str, folder: Path) -> Iterator[object]:
    """Its entry, and what of the artifacts is not in the entry."""
    if not folder.is_dir():
        return
    (entry,) = (folder / ENTRY).iterdir()
    parcel = Parcel.of_folder(entry)
    yield from _sent(ENTRY, kind, entry, parcel)
    artifacts = folder / ARTIFACTS
    if artifacts.is_dir():
        in_entry = contents_of(parcel, entry)
        whole = Parcel.of_folder(artifacts)
        rest = {
            each.name: artifacts / each.name
            for each in whole.listing.items
            if each.kind == FILE and each.content not in in_entry
        }
        yield from _sent(ARTIFACTS, kind, artifacts, Parcel(whole.listing, rest))


def contents_of(parcel: Parcel, folder: Path) -> Mapping[str, Path]:
    """The files of a folder by their checksums."""
    return {each.content: folder / each.name for each in parcel.listing.items if each.kind == FILE}


def _sent(what: str, kind: str, folder: Path, parcel: Parcel) -> Iterator[object]:
    yield Arriving(what, kind, folder.name, parcel.size)
    for offset in range(0, parcel.size, PART):
        yield Piece(parcel.piece(offset, PART))
