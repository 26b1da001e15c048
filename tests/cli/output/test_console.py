from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alo.cli.output import console
from alo.cli.output.console import ERASE_LINE, LINE_UP, ReaderGone, Screen

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal


def test_a_table_lines_up_its_columns() -> None:
    drawn = console.table(("step", "time"), [("input", "0.01 s"), ("train", "12.30 s")], right=(1,))

    assert drawn.split("\n") == [
        "step      time",
        "input   0.01 s",
        "train  12.30 s",
    ]


def test_a_table_without_rows_is_its_headers() -> None:
    assert console.table(("a", "b"), []) == "a  b"


def test_letters_that_are_two_columns_wide_keep_a_table_in_line() -> None:
    drawn = console.table(("단계", "n"), [("입력", "1"), ("ab", "2")])

    assert drawn.split("\n") == ["단계  n", "입력  1", "ab    2"]


def test_a_cell_with_line_breaks_or_control_codes_stays_one_line() -> None:
    drawn = console.table(("note",), [("one\ntwo\x1b[31m",)])

    assert drawn.split("\n")[1] == "one two [31m"


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("가나", 4), ("e\N{COMBINING ACUTE ACCENT}", 1), ("", 0)]
)
def test_width_counts_columns(text: str, columns: int) -> None:
    assert console.width(text) == columns


@pytest.mark.parametrize(
    ("text", "columns", "fitted"),
    [("abcdef", 6, "abcdef"), ("abcdefg", 6, "abc..."), ("가나다라", 6, "가...")],
)
def test_fit_cuts_what_does_not_fit(text: str, columns: int, fitted: str) -> None:
    assert console.fit(text, columns) == fitted


def test_there_is_no_colour_when_no_terminal_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    console.write(console.style("text", "red"))

    assert capsys.readouterr().out == "text\n"


def test_a_terminal_gets_colour(terminal: Terminal) -> None:
    assert console.style("text", "red") == "\x1b[31mtext\x1b[0m"


WILD = "\x1b]52;c;eA==\x07a\x1b[2Jb\x1b[31mred\x1b[0m\tc\x00\x9b1md\re\r\nf 한\u202f"


def test_texts_of_data_do_no_more_to_a_terminal_than_show(terminal: Terminal) -> None:
    for write in (console.write, console.write_error):
        write(WILD)
        seen = terminal.seen().replace("\r", "")
        assert seen == " ]52;c;eA== a [2Jb\x1b[31mred\x1b[0m\tc  1md e\nf 한\u202f\n"


def test_a_file_has_them_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    console.write(WILD)

    assert capsys.readouterr().out == f"{WILD}\n"


def test_no_color_is_obeyed(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    assert console.style("text", "red") == "text"


def test_letters_that_a_terminal_does_not_know_are_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))

    console.write("점수 1")

    assert written.getvalue() == b"\\uc810\\uc218 1\n"


def test_a_stream_that_was_closed_from_the_start_is_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", None)

    console.write("text")


def test_a_reader_that_has_gone_is_reported_by_an_exception(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)

        with pytest.raises(ReaderGone):
            console.write("text")
        console.write("and nothing is left to complain about when the stream is closed")


def test_the_live_line_is_drawn_anew_below_the_lines(terminal: Terminal) -> None:
    screen = Screen()

    screen.draw("step 1 of 2  train  1 s")
    screen.line("a line")
    screen.draw("step 1 of 2  train  2 s")
    screen.erase()

    first, rest = terminal.seen().split("a line\n")
    assert first.endswith(f"train  1 s\x1b[0m{ERASE_LINE}")
    assert rest.endswith(f"train  2 s\x1b[0m{ERASE_LINE}")


def test_live_lines_give_way_to_a_line_and_to_fewer_of_them(terminal: Terminal) -> None:
    screen = Screen()
    up = f"{ERASE_LINE}{LINE_UP}{ERASE_LINE}{LINE_UP}{ERASE_LINE}"

    screen.draw("2 trials", ["best", "0.9"])
    screen.line("a line")
    screen.draw("3 trials", ["best", "0.8"])
    screen.draw("4 trials")
    screen.erase()

    first, rest = terminal.seen().split("a line\n")
    assert first.startswith(f"{ERASE_LINE}\x1b[2mbest\x1b[0m\n\x1b[2m0.9\x1b[0m\n")
    assert first.endswith(f"2 trials\x1b[0m{up}")
    assert rest.endswith(f"3 trials\x1b[0m{up}\x1b[2m4 trials\x1b[0m{ERASE_LINE}")


def test_the_live_line_waits_while_an_asset_is_in_the_middle_of_a_line(terminal: Terminal) -> None:
    screen = Screen()

    screen.passed_on("stderr", "50 %|#####     |\r")
    screen.draw("step 1 of 2")
    screen.passed_on("stderr", "100 %|##########|\n")

    assert terminal.seen() == "50 %|#####     |\r100 %|##########|\n"


def test_a_line_starts_on_a_new_line_after_a_print_without_an_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = Screen()

    screen.passed_on("stdout", "no end")
    screen.line("a line")

    assert capsys.readouterr().out == "no end\na line\n"


def test_there_is_no_live_line_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()

    screen.draw("step 1 of 2")
    screen.erase()

    assert not screen.is_live
    assert capsys.readouterr().out == ""


def test_a_screen_writes_to_the_streams_as_they_were(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", io.StringIO())

    screen.line("a line")

    assert capsys.readouterr().out == "a line\n"


def test_a_screen_outlives_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        screen = Screen()

        screen.line("a line")
        screen.line("another")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # that is what it is about
def test_a_forked_child_can_write_while_a_thread_of_the_parent_did(terminal: Terminal) -> None:
    screen = Screen()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with screen._lock:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        screen.passed_on("stdout", "from the child\n")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    done.set()
    thread.join()

    assert status == 0
    assert terminal.seen() == "from the child\n"


def test_only_the_console_writes() -> None:
    folder = Path(str(console.__file__)).parents[1]
    writing = subprocess.run(
        ["grep", "-l", "-E", r"print\(|sys\.std(out|err)\.write", *folder.rglob("*.py")],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()

    assert writing == []
