"""Windows of a text together are the text, whole lines each."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.ui.readers import text_windows
from alo.ui.readers.text_windows import BYTES, TextWindow, text_window


def forward(path: Path) -> str:
    """All windows from the beginning on."""
    text, start = "", 0
    while True:
        window = text_window(path, start)
        text += "".join(f"{line.text}\n" for line in window.lines)
        if window.after is None:
            return text
        assert window.after > start
        start = window.after


@given(st.lists(st.text(st.characters(exclude_characters="\r\n"), max_size=300), max_size=60))
def test_windows_one_after_the_other_are_the_whole_text(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = tmp_path_factory.mktemp("text") / "log"
    text = "".join(f"{line}\n" for line in lines)
    path.write_text(text, "utf-8", "surrogatepass")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_windows, "BYTES", 2000)
        assert forward(path) == path.read_bytes().decode("utf-8", "replace")


def test_the_end_of_a_large_file_is_its_last_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("".join(f"line {n}\n" for n in range(100_000)))

    window = text_window(path)

    assert window.lines[-1].text == "line 99999"
    assert window.lines[0].text.startswith("line ")
    assert window.after is None
    earlier = text_window(path, window.before or 0)
    assert earlier.lines[-1].at < window.end


def test_a_line_is_found_wherever_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("x" * 79 + "\n" + "".join(f"line {n}\n" for n in range(500_000)))

    window = text_window(path, 0, "line 432101")

    assert window.found
    assert window.lines[0].text == "line 432101"
    assert not text_window(path, 0, "nowhere").found


@pytest.mark.parametrize("content", [b"", b"\n", b"no end", b"\xff\xfe\0", b"x" * (3 * BYTES)])
def test_odd_files_are_shown_without_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)

    for start in (-1, 0, 1, len(content), len(content) + 10):
        window = text_window(path, start)
        assert window.size == len(content)


def test_nothing_is_a_window_without_lines() -> None:
    assert TextWindow.nothing().to_json()["lines"] == []
