from __future__ import annotations

import io
import sys
import threading
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from alo.store.codec import OUT_OF_BAND, UnpicklableError, decode, encode

ASSET = """
import dataclasses, enum

class Colour(enum.Enum):
    RED = 1

@dataclasses.dataclass
class Model:
    weights: list

    def predict(self, x):
        return scale(x) + sum(self.weights)

def scale(x):
    return FACTOR * x

FACTOR = 3
"""


def pickled(value: object) -> tuple[bytes, list[memoryview]]:
    stream, buffers = encode(value, io.BytesIO)
    return stream.getvalue(), buffers


@pytest.fixture
def asset() -> ModuleType:
    """A module as an asset has: after its step no import finds it."""
    module = ModuleType("asset_train")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "asset_train", module)
        exec(compile(ASSET, "asset_train.py", "exec", dont_inherit=True), module.__dict__)  # noqa: S102
    return module


def test_a_large_array_is_handed_over_where_it_lies() -> None:
    array = np.arange(OUT_OF_BAND, dtype=np.uint8)

    stream, [buffer] = pickled(array)

    assert len(stream) < 1000
    assert np.shares_memory(np.frombuffer(buffer, np.uint8), array)


def test_a_small_array_stays_in_the_stream() -> None:
    array = np.arange(OUT_OF_BAND - 1, dtype=np.uint8)

    stream, buffers = pickled(array)

    assert not buffers
    np.testing.assert_array_equal(decode(stream, []), array)


def test_an_array_with_gaps_comes_back() -> None:
    array = np.arange(OUT_OF_BAND * 4, dtype=np.uint8)[::2]

    np.testing.assert_array_equal(decode(*pickled(array)), array)


def test_a_read_only_array_stays_read_only() -> None:
    array = np.zeros(OUT_OF_BAND)
    array.flags.writeable = False
    stream, [buffer] = pickled(array)

    again = decode(stream, [memoryview(bytearray(buffer))])

    assert not again.flags.writeable  # type: ignore[attr-defined]


def test_an_object_of_an_assets_own_class_takes_its_class_along(asset: ModuleType) -> None:
    stream, _ = pickled({"model": asset.Model([1, 2]), "colour": asset.Colour.RED})

    again = decode(stream, [])

    assert again["model"].predict(10) == 33  # type: ignore[index]
    assert again["colour"].name == "RED"  # type: ignore[index]


def test_a_function_made_on_the_spot_comes_back() -> None:
    factor = 4

    again = decode(*pickled(lambda x: x * factor))

    assert again(3) == 12  # type: ignore[operator]


def test_what_fails_half_way_begins_again_in_a_new_stream(asset: ModuleType) -> None:
    streams: list[io.BytesIO] = []

    def new_stream() -> io.BytesIO:
        streams.append(io.BytesIO())
        return streams[-1]

    stream, buffers = encode([np.zeros(OUT_OF_BAND), asset.Model([])], new_stream)

    assert stream is streams[-1]
    assert len(streams) == 2
    assert len(buffers) == 1


class Broken:
    def __reduce__(self) -> str:
        raise ZeroDivisionError("no way")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (threading.Lock(), "lock"),
        ({"deep": [threading.Lock()]}, "lock"),
        ((number for number in range(3)), "generator"),
        (memoryview(b"abc"), "memoryview"),
        (Broken(), "no way"),
    ],
)
def test_what_cannot_be_pickled_says_why(value: object, reason: str) -> None:
    with pytest.raises(UnpicklableError, match=reason):
        pickled(value)


def test_an_open_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("content")

    with path.open() as file, pytest.raises(UnpicklableError, match="TextIOWrapper"):
        pickled(file)
