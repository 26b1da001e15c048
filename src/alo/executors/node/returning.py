"""What a node sends back of a task: the entries of its runs, artifacts, and the result at last."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from alo.data.remote.blobs import Blobs
from alo.executors.node.link import PIECE
from alo.executors.node.order import OUTPUT, RESULTS, Arriving, Order, Piece
from alo.executors.node.parcel import Parcel
from alo.executors.placing import ARTIFACTS, ENTRY, entry_in
from alo.executors.task import RUN, TRIAL, Done, Result
from alo.files import discard
from alo.history.entries.names import entry_folder
from alo.history.entries.seal import seal
from alo.history.entries.tree import FILE
from alo.layout import KINDS, Workspace

PART = PIECE - 4096  # what a message has besides

Wanted = Callable[[Iterator[bytes]], Iterator[bytes]]  # the pieces, for as long as somebody asks


def returned(
    order: Order,
    result: Result,
    kept: Workspace,
    blobs: Blobs | None = None,
    wanted: Wanted = lambda pieces: pieces,
) -> Iterator[object]:
    """The messages of a task that has ended: its folders, then ``Done``.

    They are removed here once they have been pulled, or are in the bucket.

    Args:
        kept: whose history has the runs of a trial.
        blobs: where folders go; None: into the messages, in pieces.
    Raises:
        LocationError: one cannot be put there.
        OSError: something cannot be read.
    """
    send = _pieces if blobs is None else _into(blobs, wanted)
    if order.task.kind == TRIAL:
        for run in result.runs:
            entry = entry_folder(kept, run.pipeline, run.run_id)
            if entry.is_dir():
                with suppress(ValueError):
                    seal(entry)
                yield from send(ENTRY, run.pipeline, entry, Parcel.of_folder(entry))
                discard(entry)
    elif result.output is not None and order.task.kind == RUN:
        for kind in KINDS:
            yield from _sent_run(kind, result.output / kind, send)
        discard(result.output)
    elif result.output is not None:
        kind = order.task.pipelines[-1]
        yield from send(OUTPUT, kind, result.output, Parcel.of_folder(result.output))
        discard(result.output)
    yield Done(replace(result, output=None))


_Send = Callable[[str, str, Path, Parcel], Iterator[object]]


def _sent_run(kind: str, folder: Path, send: _Send) -> Iterator[object]:
    """Its entry, and what of the artifacts is not in the entry."""
    if not folder.is_dir():
        return
    entry = entry_in(folder)
    parcel = Parcel.of_folder(entry)
    yield from send(ENTRY, kind, entry, parcel)
    artifacts = folder / ARTIFACTS
    if artifacts.is_dir():
        in_entry = parcel.listing.files_by_content(entry)
        whole = Parcel.of_folder(artifacts)
        rest = {
            each.name: artifacts / each.name
            for each in whole.listing.items
            if each.kind == FILE and each.content not in in_entry
        }
        yield from send(ARTIFACTS, kind, artifacts, Parcel(whole.listing, rest))


def _pieces(what: str, kind: str, folder: Path, parcel: Parcel) -> Iterator[object]:
    yield Arriving(what, kind, folder.name, parcel.size, parcel.digest)
    for piece in parcel.pieces(PART):
        yield Piece(piece)


def _into(blobs: Blobs, wanted: Wanted) -> _Send:
    def send(what: str, kind: str, folder: Path, parcel: Parcel) -> Iterator[object]:
        # Not by its digest alone: what is in the entry already is left out of the artifacts.
        blob = f"{RESULTS}/{parcel.digest}-{os.urandom(6).hex()}"
        blobs.put(blob, wanted(parcel.pieces(PART)))
        yield Arriving(what, kind, folder.name, parcel.size, parcel.digest, blob)

    return send
