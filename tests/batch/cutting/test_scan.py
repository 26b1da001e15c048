from __future__ import annotations

import builtins
import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.batch.cutting import scan
from alo.batch.cutting.scan import count_rows, row_ends
from alo.batch.cutting.walk import QUOTED, RECORD, walked_ends

TEXTS = st.text(st.sampled_from('ab,"\n\r '), max_size=60)
WELL_FORMED = st.lists(
    st.lists(
        st.sampled_from(["a", "", '"b"', '"c,\n"', '""', '"d""e"', '"\r\n""\r"']),
        min_size=1,
        max_size=4,
    ).map(",".join),
    max_size=8,
).map("\n".join)


def rows_by_python(text: str) -> list[str]:
    """What has been read when each row has ended, but for those of nothing."""
    found, so_far = [], []

    def lines() -> Any:
        for line in io.StringIO(text, newline=""):
            so_far.append(line)
            yield line

    for row in csv.reader(lines()):
        if row:
            found.append("".join(so_far))
    return found


def in_chunks(text: str, size: int, scan_chunk: Callable[..., Any]) -> tuple[list[int], int]:
    content, at, state, found = text.encode(), 0, RECORD, []
    while at < len(content):
        chunk = content[at : at + size]
        if chunk.endswith(b"\r") and at + len(chunk) < len(content):
            chunk = chunk[:-1]
        ends, state = scan_chunk(chunk, state, b",")
        found += [at + end for end in ends]
        at += len(chunk)
    return found, state


@given(TEXTS | WELL_FORMED, st.integers(2, 70))
def test_rows_end_where_they_do_for_python(text: str, size: int) -> None:
    expected = rows_by_python(text)

    for scan_chunk in (row_ends, walked_ends):
        ends, state = in_chunks(text, size, scan_chunk)

        whole = [len(part) - 1 for part in expected]
        if state != RECORD:  # the last row is not ended
            assert ends == whole[:-1]
        else:
            assert ends == whole


@given(TEXTS | WELL_FORMED, st.integers(2, 70))
def test_rows_are_counted_as_they_end(text: str, size: int) -> None:
    def counted(chunk: bytes, state: int, delimiter: bytes) -> tuple[list[int], int]:
        count, after = count_rows(chunk, state, delimiter)
        return [0] * count, after

    counts, state = in_chunks(text, size, counted)

    ends, same = in_chunks(text, size, walked_ends)
    assert (len(counts), state) == (len(ends), same)


@pytest.mark.parametrize(
    "text", ["a,b\n" * 100, '"a,\n",b\n' * 100, '"a""b",""\r\n' * 100, "\n\r\n\r" * 30]
)
def test_a_chunk_that_is_well_formed_takes_no_walk(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = in_chunks(text, 64, walked_ends)

    monkeypatch.setattr(scan, "walked_ends", None)

    assert in_chunks(text, 64, row_ends) == expected


def test_without_numpy_it_is_a_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name == "numpy":
            raise ModuleNotFoundError(name=name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)

    assert row_ends(b'a,"b\n"\nc\n', RECORD, b",") == ([6, 8], RECORD)
    assert count_rows(b'a,"b\n"\n"c\n', RECORD, b",") == (1, QUOTED)
