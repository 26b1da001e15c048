"""What the steps of a request have left, read for its answer."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from alo.errors import ResultError
from alo.plan.yaml_nodes.reader import read_value
from alo.plan.yaml_nodes.tree import YamlError
from alo.workers.protocol import Files, Summary
from alolib.summary import content_of

SMALL_OUTPUT = 16_000  # bytes of all output files of a request that go with its answer
PIECE = 1 << 16


def read_results(artifacts: Path, names: Sequence[str], *, with_contents: bool) -> Summary:
    """The summary, and the output files.

    Args:
        names: of the output files.
        with_contents: whether small files are to be in it.
    Raises:
        ResultError: the summary cannot be read, or is none.
        OSError: an output file cannot be read.
    """
    content = _read_summary(f"{artifacts}/score/inference_summary.yaml")
    paths = tuple(f"{artifacts}/output/{name}" for name in names)
    return Summary(content, paths, _contents(paths) if with_contents else None)


def _contents(paths: Sequence[str]) -> Files | None:
    """By name; None where they are not small."""
    found, left = {}, SMALL_OUTPUT
    for path in paths:
        content = _read(path, left + 1)
        left -= len(content)
        if left < 0:
            return None
        found[os.path.basename(path)] = content
    return found


def _read_summary(path: str) -> Mapping[str, object]:
    try:
        text = _read(path)
        content = content_of(text) or read_value(text)
    except (OSError, YamlError) as error:
        raise ResultError(f"the summary cannot be read: {error}", where=path) from error
    if not isinstance(content, dict):
        raise ResultError("the summary is not a mapping", where=path)
    return content


def _read(path: str, most: int | None = None) -> bytes:
    """A file, or at least so many of its first bytes."""
    pieces, size = [], 0
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while (most is None or size < most) and (piece := os.read(descriptor, PIECE)):
            pieces.append(piece)
            size += len(piece)
    finally:
        os.close(descriptor)
    return b"".join(pieces)
