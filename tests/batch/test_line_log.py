"""A record of lines: whole ones, however long, and nothing of those that a kill has cut off."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from alo.batch.line_log import PIECE, LineLog, newest_first


def written(path: Path, *texts: str) -> None:
    with closing(LineLog(path)) as log:
        for text in texts:
            log.write({"text": text}, lasts=True)


def texts(path: Path) -> list[str]:
    return list(newest_first(path, lambda reported: str(reported["text"])))


def test_lines_are_read_from_the_newest_back(tmp_path: Path) -> None:
    path = tmp_path / "log"

    assert texts(path) == []
    written(path, "a", "b")
    written(path, "c")

    assert texts(path) == ["c", "b", "a"]


@pytest.mark.parametrize("length", [1, PIECE - 12, PIECE, 3 * PIECE])
def test_what_a_kill_has_left_of_a_line_of_any_length_is_cut_off(
    tmp_path: Path, length: int
) -> None:
    path = tmp_path / "log"
    written(path, "a", "b" * length)
    for cut in (1, 5):
        content = path.read_bytes()
        path.write_bytes(content[:-cut])
        assert texts(path) == ["a"]

        written(path, "c" * length)
        assert texts(path) == ["c" * length, "a"]


def test_a_line_that_cannot_be_read_is_told_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b'{"text": 1}\n{}\n{"text": 3}\n')

    with pytest.raises(ValueError, match="line 2: 'text'"):
        texts(path)


def test_where_there_is_no_room_nothing_of_a_line_is_left(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with closing(LineLog(path)) as log:
        os.close(log._descriptor)
        log._descriptor = os.open("/dev/full", os.O_WRONLY)
        with pytest.raises(OSError, match="No space"):
            log.write({"text": "a"}, lasts=False)

    assert texts(path) == []
