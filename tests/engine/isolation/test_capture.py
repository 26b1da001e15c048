from __future__ import annotations

import io
import os
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from alo.engine.isolation.capture import captured
from alo.engine.isolation.prints import Prints
from alo.engine.isolation.streams import PrintStream
from alo.events.types import Event, Output

from .conftest import text_of


def test_prints_are_events_of_their_stream(heard: list[Event]) -> None:
    with redirect_stdout(io.StringIO()) as outside, captured(heard.append):
        print("one", "two")
        print("three", file=sys.stderr, end="")

    assert text_of(heard) == "one two\n"
    assert text_of(heard, "stderr") == "three"
    assert outside.getvalue() == ""


def test_bars_that_draw_themselves_again_come_as_they_are(heard: list[Event]) -> None:
    with captured(heard.append):
        for number in range(3):
            sys.stderr.write(f"\r{number}/3 |█|")
            sys.stderr.flush()

    assert text_of(heard, "stderr") == "\r0/3 |█|\r1/3 |█|\r2/3 |█|"


def test_megabytes_arrive_whole(heard: list[Event]) -> None:
    with captured(heard.append):
        print("x" * 5_000_000)

    assert len(text_of(heard)) == 5_000_001


def test_bytes_are_decoded_also_where_a_letter_comes_in_two_pieces(heard: list[Event]) -> None:
    content = "한글 é".encode()

    with captured(heard.append):
        for number in range(len(content)):
            sys.stdout.buffer.write(content[number : number + 1])
        sys.stdout.buffer.write(memoryview(b"\xff end"))
        sys.stdout.buffer.flush()

    assert text_of(heard) == "한글 é\ufffd end"


def test_a_stream_can_do_what_scripts_ask_of_stdout(heard: list[Event]) -> None:
    with captured(heard.append):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
        sys.stdout.writelines(["a\n", "b\n"])
        assert sys.stdout.encoding == "utf-8"
        assert sys.stdout.writable()
        assert not sys.stdout.isatty()
        with pytest.raises(TypeError, match="must be str, not bytes"):
            sys.stdout.write(b"x")  # type: ignore[arg-type]

    assert text_of(heard) == "a\nb\n"


@pytest.mark.parametrize("stream", [None, io.StringIO()], ids=["none", "closed"])
def test_a_host_without_a_stdout_is_no_trouble(stream: io.StringIO | None) -> None:
    if stream is not None:
        stream.close()
    heard: list[Event] = []
    prints = Prints(heard.append)
    made = PrintStream("stdout", stream, prints)

    assert not made.isatty()
    with pytest.raises((io.UnsupportedOperation, ValueError)):
        made.fileno()
    assert made.write("x") == 1
    prints.end()
    assert text_of(heard) == "x"


def test_closed_streams_still_print(heard: list[Event]) -> None:
    before = sys.stdout

    with captured(heard.append):
        sys.stdout.close()
        sys.stdout.buffer.close()
        print("still here")
        sys.stdout.buffer.write(b"and here")

    assert text_of(heard) == "still here\nand here"
    assert sys.stdout is before
    assert not before.closed


def test_only_bytes_are_written_as_bytes(heard: list[Event]) -> None:
    with captured(heard.append):
        write: Any = sys.stdout.buffer.write
        for wrong in ("text", 3):
            with pytest.raises(TypeError):
                write(wrong)

    assert heard == []


def test_what_a_wrapper_of_the_assets_holds_back_is_reported_when_the_step_ends(
    heard: list[Event],
) -> None:
    with captured(heard.append):
        kept = sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8")
        print("한글")

    assert heard == [Output("stdout", "한글\n")]
    assert sys.stdout is not kept


def test_streams_that_the_asset_has_put_there_are_gone_afterwards() -> None:
    before = sys.stdout, sys.stderr

    with captured(lambda event: None):
        sys.stdout = sys.stderr = io.StringIO()

    assert (sys.stdout, sys.stderr) == before


def test_whoever_keeps_a_stream_prints_to_what_stands_there_later() -> None:
    first: list[Event] = []
    second: list[Event] = []

    with redirect_stdout(io.StringIO()) as outside:
        with captured(first.append):
            kept = sys.stdout
        kept.write("between")
        with captured(second.append):
            kept.write("in the next step")

    assert first == []
    assert outside.getvalue() == "between"
    assert text_of(second) == "in the next step"


def test_a_stream_that_has_ended_and_stands_there_itself_is_silent(heard: list[Event]) -> None:
    with captured(heard.append):
        kept = sys.stdout
    outer, sys.stdout = sys.stdout, kept
    try:
        print("to no one")
    finally:
        sys.stdout = outer

    assert heard == []


def test_a_thread_that_prints_after_its_step_does_no_harm(heard: list[Event]) -> None:
    begun, ended = threading.Event(), threading.Event()

    def talk() -> None:
        stream = sys.stdout
        print("in the step")
        begun.set()
        ended.wait()
        print("late")
        print("later", file=stream)

    with redirect_stdout(io.StringIO()) as outside:
        with captured(heard.append):
            thread = threading.Thread(target=talk)
            thread.start()
            begun.wait()
        ended.set()
        thread.join()

    assert text_of(heard) == "in the step\n"
    assert outside.getvalue() == "late\nlater\n"


def test_many_threads_lose_no_line(heard: list[Event]) -> None:
    with captured(heard.append):
        threads = [
            threading.Thread(target=lambda: [sys.stdout.write("line\n") for _ in range(200)])
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert text_of(heard) == "line\n" * 1600


def test_writes_to_the_descriptor_are_left_alone(in_process: Callable[..., Any]) -> None:
    done = in_process(
        """
        import os, subprocess, sys
        with captured(heard.append):
            os.write(1, b"raw\\n")
            subprocess.run(["echo", "child"], stdout=sys.stdout)
            print("printed")
        assert "".join(e.text for e in heard) == "printed\\n"
        """
    )

    assert (done.stdout, done.stderr) == ("raw\nchild\n", "")


def test_the_folder_is_the_same_again(tmp_path: Path) -> None:
    before = os.getcwd()

    with captured(lambda event: None):
        os.chdir(tmp_path)

    assert os.getcwd() == before


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_folder_that_is_deleted_ends_no_run(
    when: str, in_process: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "gone").mkdir()

    done = in_process(
        f"""
        import os
        os.chdir({str(tmp_path / "gone")!r})
        if {when!r} == "before":
            os.rmdir({str(tmp_path / "gone")!r})
        with captured(heard.append):
            os.chdir("/")
            if {when!r} == "meanwhile":
                os.rmdir({str(tmp_path / "gone")!r})
            print("x")
        assert heard
        """
    )

    assert done.stderr == ""


def test_warning_filters_are_as_before() -> None:
    before = list(warnings.filters)

    with captured(lambda event: None):
        warnings.simplefilter("ignore")
        warnings.warn("not seen", stacklevel=1)

    assert warnings.filters == before


def test_warnings_are_reported(in_process: Callable[..., Any]) -> None:
    done = in_process(
        """
        import warnings
        with captured(heard.append):
            warnings.warn("careful")
        assert "UserWarning: careful" in heard[0].text
        """
    )

    assert done.stderr == ""


def test_the_error_of_a_step_passes_and_all_is_put_back() -> None:
    before = sys.stdout

    def fail() -> None:
        with captured(lambda event: None):
            os.chdir("/")
            raise ValueError("the asset's")

    with pytest.raises(ValueError, match="the asset's"):
        fail()

    assert sys.stdout is before
    assert os.getcwd() != "/"


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("pass", 0),
        ("sys.exit()", 0),
        ("sys.exit(3)", 3),
        ("sys.exit('text')", 1),
        ("1 / 0", 1),
    ],
)
def test_a_forked_process_ends_with_the_step(
    how: str, status: int, in_process: Callable[..., Any]
) -> None:
    done = in_process(
        f"""
        import os, sys
        def tell(event):
            os.write(1, event.text.encode())
        with captured(tell):
            child = os.fork()
            if child:
                _, status = os.waitpid(child, 0)
                print("child", os.waitstatus_to_exitcode(status))
            else:
                {how}
        print("the engine goes on")
        """
    )

    assert done.stdout.endswith(f"child {status}\nthe engine goes on\n")
    assert done.stdout.count("the engine goes on") == 1
    assert ("ZeroDivisionError" in done.stdout) == (how == "1 / 0")
