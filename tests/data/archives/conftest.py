"""A folder to pack, with all kinds of contents, names and times."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.data.archives import blocks

WriteTree = Callable[..., Path]


def contents_to_pack() -> dict[str, bytes]:
    chance = random.Random(1)  # noqa: S311 - the same in every test
    text = " ".join(str(chance.random()) for _ in range(90_000)).encode()
    return {
        "empty": b"",
        "models/random": chance.randbytes(1_300_000),
        "models/text": text,
        "models/block": text[: blocks.BLOCK_BYTES],
        "models/한글 이름": b"\0" * 70_000,
        "models/" + "long/" * 30 + "n" * 120: b"1",
        "z/small": b"2",
        **{f"many/{number}": b"%d" % number for number in range(50)},
    }


@pytest.fixture
def folder(write_tree: WriteTree) -> Path:
    root = write_tree("train_artifacts", {**contents_to_pack(), "models/hollow/": ""})
    (root / "models/text").chmod(0o4755)
    os.utime(root / "models/text", (1e9, 1e9))
    os.utime(root / "z/small", (-5, -5))
    return root
