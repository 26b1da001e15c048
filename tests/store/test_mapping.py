from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from mmap import PAGESIZE
from pathlib import Path

import numpy as np
import pytest

from alo.store import mapping as module
from alo.store.manifest import Part
from alo.store.mapping import LiveMaps, PrivateMap, address_of, detects_writes

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a page map")
PAGES = 8
FIRST = Part("blob", 0, 3 * PAGESIZE, "", "input")
SECOND = Part("blob", 3 * PAGESIZE, 5 * PAGESIZE - 100, "", "input")


@pytest.fixture
def blob(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "blob"
    path.write_bytes(os.urandom(PAGES * PAGESIZE - 100))
    descriptor = os.open(path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def maps() -> LiveMaps:
    return LiveMaps()


@pytest.fixture
def mapped(maps: LiveMaps, blob: int) -> PrivateMap:
    found = maps.map(blob)
    assert found is not None
    return found


@linux
def test_bytes_that_were_only_read_are_untouched(maps: LiveMaps, mapped: PrivateMap) -> None:
    views = [maps.view(mapped, FIRST), maps.view(mapped, SECOND)]

    assert sum(map(sum, views)) > 0
    assert [maps.untouched_part(view) for view in views] == [FIRST, SECOND]


@linux
@pytest.mark.parametrize("position", [0, PAGESIZE, 3 * PAGESIZE - 1])
def test_one_byte_that_was_written_to_is_found(
    maps: LiveMaps, mapped: PrivateMap, position: int
) -> None:
    first, second = maps.view(mapped, FIRST), maps.view(mapped, SECOND)

    first[position] ^= 1

    assert maps.untouched_part(first) is None
    assert maps.untouched_part(second) == SECOND


@linux
def test_a_byte_put_back_counts_as_touched(maps: LiveMaps, mapped: PrivateMap) -> None:
    view = maps.view(mapped, FIRST)

    view[5] = view[5]

    assert maps.untouched_part(view) is None


@linux
def test_only_exactly_the_bytes_of_a_part_are_the_part(maps: LiveMaps, mapped: PrivateMap) -> None:
    view = maps.view(mapped, FIRST)

    assert maps.untouched_part(view[:-1]) is None
    assert maps.untouched_part(view[1:]) is None


@linux
def test_memory_of_a_mapping_that_is_gone_is_no_part(maps: LiveMaps, blob: int) -> None:
    gone = maps.map(blob)
    assert gone is not None
    view = maps.view(gone, FIRST)
    address = address_of(view)
    del gone, view

    # Untouched memory at the same address would look like the mapping's.
    assert address not in maps._at


def test_a_write_stays_in_the_process(maps: LiveMaps, mapped: PrivateMap, blob: int) -> None:
    view = maps.view(mapped, FIRST)

    view[0] ^= 1

    assert os.pread(blob, 1, 0) != bytes(view[:1])


def test_where_the_kernel_does_not_tell_nothing_is_untouched(
    maps: LiveMaps, blob: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGEMAP", "/nonexistent")
    found = maps.map(blob)
    assert found is not None

    assert maps.untouched_part(maps.view(found, FIRST)) is None


@pytest.mark.parametrize("answer", [True, False])
def test_a_kernel_that_always_says_the_same_is_not_believed(
    blob: int, monkeypatch: pytest.MonkeyPatch, answer: bool
) -> None:
    monkeypatch.setattr(module, "is_untouched", lambda address, size: answer)

    assert not detects_writes(blob)


def test_there_are_never_too_many_mappings(
    maps: LiveMaps, mapped: PrivateMap, blob: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_MAPPINGS", 1)

    assert maps.map(blob) is None


def test_the_address_is_that_of_the_first_byte() -> None:
    array = np.arange(100, dtype=np.uint8)

    assert address_of(memoryview(array.data)[7:]) == array.ctypes.data + 7
    assert address_of(array.data.toreadonly()) == array.ctypes.data
