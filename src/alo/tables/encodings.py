"""In which encoding a text file is: by its first bytes, or by what they can be read as."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from pathlib import Path
from typing import NamedTuple

SAMPLE = 1 << 18  # bytes that are looked at
UTF8 = "utf-8"
WIDE = ("utf-16-le", "utf-16-be")
MARKS = ((BOM_UTF8, UTF8), (BOM_UTF16_LE, WIDE[0]), (BOM_UTF16_BE, WIDE[1]))
GUESSES = (UTF8, "cp949")  # in this order; latin-1 can be anything


class Encoding(NamedTuple):
    """An encoding, and how many bytes of the file are its mark."""

    name: str
    mark: int = 0


def encoding_of(path: Path) -> Encoding:
    """The encoding of a file.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        return encoding_in(file.read(SAMPLE))


def encoding_in(sample: bytes) -> Encoding:
    """The encoding of a file that begins with these bytes, ``SAMPLE`` of them if it has as many."""
    for mark, name in MARKS:
        if sample.startswith(mark):
            return Encoding(name, len(mark))
    if wide := _wide(sample):
        return Encoding(wide)
    for name in GUESSES:
        try:
            # The sample may end in the middle of a character.
            getincrementaldecoder(name)().decode(sample, final=len(sample) < SAMPLE)
        except UnicodeDecodeError:
            continue
        return Encoding(name)
    return Encoding("latin-1")


def _wide(sample: bytes) -> str:
    """UTF-16 without a mark: in texts with commas and digits every second byte is often 0."""
    half = len(sample) // 2
    odd, even = sample[1::2].count(0), sample[::2].count(0)
    if half >= 2 and max(odd, even) > half * 0.4 and min(odd, even) < half * 0.1:
        return WIDE[0] if odd > even else WIDE[1]
    return ""
