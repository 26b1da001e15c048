"""Inputs of batches, and what their shards come to."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from alo.batch.cutting.inputs import list_inputs
from alo.batch.cutting.shard import Shard
from alo.batch.cutting.write import write_shard
from alo.data.location import SourceFile

Inputs: TypeAlias = Callable[..., list[SourceFile]]


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """Call it with contents by names: writes them to ``data/``, and lists that as one source."""

    def write(contents: dict[str, bytes], sources: Sequence[str] = ("data",)) -> list[SourceFile]:
        (tmp_path / "data").mkdir(exist_ok=True)
        for name, content in contents.items():
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return list_inputs(tmp_path, sources, tmp_path / "project/input/inference")

    return write


def staged(shard: Shard, folder: Path) -> dict[str, bytes]:
    """The files that a shard is staged as."""
    write_shard(shard, folder)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def read(content: bytes, encoding: str = "utf-8-sig", delimiter: str = ",") -> list[list[str]]:
    """The rows of a CSV, as Python reads it."""
    csv.field_size_limit(1 << 24)
    text = io.StringIO(content.decode(encoding), newline="")
    return list(csv.reader(text, delimiter=delimiter))
