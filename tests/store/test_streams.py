from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.store.blobs import BlobDir, Draft
from alo.store.manifest import Part, StoredValue
from alo.store.streams import INLINE, OldStream, StreamWriter

BEFORE = bytes(range(256)) * 40
OFFSET = 100


@pytest.fixture(scope="module")
def open_old(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., object]:
    """A folder with the stream ``BEFORE``: gives a draft and what it is compared with."""
    root: Path = tmp_path_factory.mktemp("store")
    blob_dir = BlobDir(root, root / "train" / "run")
    blob_dir.prepare()
    blob_dir.path("blob").write_bytes(b"x" * OFFSET + BEFORE + b"beyond")
    part = Part("blob", OFFSET, len(BEFORE), "checksum", "input")

    @contextmanager
    def open_it(*, has_old: bool = True) -> Iterator[tuple[Draft, OldStream]]:
        value = StoredValue("x", "bytes", part if has_old else b"short")
        with blob_dir.draft("it") as draft, OldStream(blob_dir, value) as old:
            yield draft, old

    return open_it


def written(draft: Draft) -> bytes:
    return draft._path.read_bytes() if draft.size else b""


@given(st.data())
def test_a_stream_ends_up_whole_wherever_it_differs(
    open_old: Callable[..., object], data: st.DataObject
) -> None:
    kept = data.draw(st.integers(0, len(BEFORE)))
    content = BEFORE[:kept] + data.draw(st.binary(max_size=2 * INLINE))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=4)))

    with open_old(has_old=data.draw(st.booleans())) as (draft, old):  # type: ignore[attr-defined]
        writer = StreamWriter(draft, old)
        for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
            writer.write(content[start:end])
        stream = writer.end("train")
        found = stream if isinstance(stream, bytes) else written(draft)

    if isinstance(stream, Part) and stream.blob:
        assert content == BEFORE
        assert not draft.size
    else:
        assert found == content


def test_an_equal_stream_is_the_old_one(open_old: Callable[..., object]) -> None:
    with open_old() as (draft, old):  # type: ignore[attr-defined]
        writer = StreamWriter(draft, old)
        writer.write(BEFORE)

        assert writer.end("train") == old.part
        assert not draft.size


def test_a_short_stream_is_not_written(open_old: Callable[..., object]) -> None:
    with open_old(has_old=False) as (draft, old):  # type: ignore[attr-defined]
        writer = StreamWriter(draft, old)
        writer.write(b"a" * INLINE)

        assert writer.end("train") == b"a" * INLINE
        assert not draft.size
