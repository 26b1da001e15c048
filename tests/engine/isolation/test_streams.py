"""Whatever a script does to ``sys.stdout``: what it prints is on the console and in the log."""

from __future__ import annotations

import io
import os
import sys
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.engine.isolation import prints as prints_module
from alo.engine.isolation.capture import captured
from alo.events.log_files import PIPELINE_LOG, RunLogs
from alo.events.types import Event, LogLine, Output

from ...support.waiting import PATIENCE_S

MakeSolution = Callable[..., Path]

SCRIPTS = {
    "detached": "sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding='utf-8')",
    "detached twice": "sys.stdout.detach(); sys.stdout.detach()",
    "both detached": """
        sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding='utf-8', line_buffering=True)
        sys.stderr = io.TextIOWrapper(sys.stderr.detach(), encoding='utf-8', line_buffering=True)
        print('한글', file=sys.stderr)
    """,
    "its buffer detached": "sys.stdout = io.TextIOWrapper(sys.stdout.buffer.detach(), 'utf-8')",
    "a writer around the buffer": "sys.stdout = codecs.getwriter('utf-8')(sys.stdout.buffer)",
    "a buffer around the raw stream": """
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(sys.stdout.buffer.raw), encoding='utf-8')
    """,
    "reconfigured": "sys.stdout.reconfigure(encoding='cp949', errors='strict', newline='')",
    "bytes of another encoding": """
        sys.stdout.reconfigure(encoding='euc-kr')
        sys.stdout.buffer.write('한글\\n'.encode(sys.stdout.encoding))
    """,
    "closed": "sys.stdout.close(); sys.stdout.buffer.close(); sys.stderr.close()",
    "as it was at the start": "sys.stdout = sys.__stdout__",
    "the error stream of the start": "sys.__stderr__.write('한글\\n')",
    "that of the start closed": "sys.__stdout__.close(); sys.__stderr__.close()",
    "led to the error stream": """
        with contextlib.redirect_stdout(sys.stderr):
            print('한글')
    """,
    "led elsewhere": "sys.stdout = open(os.devnull, 'w'); print('한글', file=sys.stderr)",
    "taken away": "sys.stdout = None; sys.stderr.write('한글\\n')",
    "its descriptor replaced": """
        copy = os.dup(1); os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        print('한글')
        os.dup2(copy, 1)
    """,
    "its descriptor closed": "os.close(1); os.close(2)",
    "asked about": """
        assert (sys.stdout.mode, sys.stdout.name, sys.stdout.buffer.mode) == ('w', '<stdout>', 'wb')
        assert sys.stderr.name == '<stderr>'
        assert sys.stdout.encoding == 'utf-8' and isinstance(sys.stdout.errors, str)
        assert sys.stdout.newlines is None and not sys.stdout.closed
        assert {sys.stdout.write_through, sys.stdout.line_buffering} <= {True, False}
        assert sys.stdout.writable() and not sys.stdout.readable() and not sys.stdout.seekable()
        assert not sys.stdout.isatty() and not sys.stdout.buffer.isatty()
        assert sys.stdout.fileno() == sys.stdout.buffer.fileno() == 1
        assert sys.stderr.fileno() == 2
    """,
    "told where it crashes": "import faulthandler; faulthandler.enable(); faulthandler.disable()",
    "lone surrogates": "print('\\udcb0\\ud800', '한글')",
    "printed by a library": "import click; click.echo('한글'); click.echo(b'', err=True)",
    "printed by a thread": """
        thread = threading.Thread(target=print, args=('한글',)); thread.start(); thread.join()
    """,
    "printed by a fork": """
        print('held', end=' ')
        if not os.fork():
            print('한글')
            os._exit(0)
        os.wait()
    """,
    "printed by a pool": """
        with multiprocessing.get_context('fork').Pool(1) as pool:
            pool.map(print, ['한글'])
    """,
}
IN_THE_LOG_ALONE = ("its descriptor closed",)
HEAD = "import codecs, contextlib, io, multiprocessing, os, sys, threading\n"


def asset(script: str) -> str:
    from textwrap import dedent

    return f"{HEAD}{dedent(script)}\nprint('한글')\n"


@pytest.mark.parametrize("isolation", [{}, {"isolation": "process"}], ids=["memory", "process"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_find_a_stream_that_can_do_all(
    script: str, isolation: dict[str, str], make_solution: MakeSolution, alo: Callable[..., Any]
) -> None:
    steps = {"bad": asset(SCRIPTS[script]), "next": "print('the next one')"}
    home = make_solution(steps, beside={"bad": isolation})

    done = alo("run", cwd=home, env={**os.environ, "PYTHONUTF8": "1"})

    assert done.returncode == 0, done.stderr
    log = (home / "train_artifacts/log" / PIPELINE_LOG).read_text("utf-8")
    assert "한글\n" in log
    assert "the next one\n" in log
    if script not in IN_THE_LOG_ALONE:
        assert "한글\n" in done.stdout + done.stderr
    assert "the next one\n" in done.stdout
    assert "held held" not in log


@pytest.fixture
def events() -> list[Event]:
    return []


def outputs(events: list[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, Output)]


def test_a_line_is_reported_as_soon_as_it_ends(events: list[Event]) -> None:
    with captured(events.append):
        print("one", 2)
        first = list(events)
        sys.stderr.write("three\nand")
        sys.stderr.flush()
        second = list(events)

    assert first == [Output("stdout", "one 2\n")]
    assert second == [*first, Output("stderr", "three\nand")]


def test_what_ends_no_line_is_reported_soon_although_nothing_more_is_printed() -> None:
    reported = threading.Event()

    with captured(lambda event: reported.set()):
        print("waiting ...", end="")
        assert reported.wait(PATIENCE_S)


def test_order_is_that_of_the_prints_whatever_the_stream(events: list[Event]) -> None:
    line = LogLine(0, "USER", "INFO", "f", 1, "run", "logged")

    with captured(events.append) as tell:
        print("a", end="")
        print("b", end="", file=sys.stderr)
        print("c", end="")
        tell(line)
        print("d", end="")

    assert events == [
        Output("stdout", "a"),
        Output("stderr", "b"),
        Output("stdout", "c"),
        line,
        Output("stdout", "d"),
    ]


@given(st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.text())))
def test_nothing_that_is_printed_is_lost_or_changes_places(pieces: list[tuple[str, str]]) -> None:
    events: list[Event] = []

    with captured(events.append):
        for stream, text in pieces:
            getattr(sys, stream).write(text)

    letters = [(stream, char) for stream, text in pieces for char in text]
    assert [(each.stream, char) for each in outputs(events) for char in each.text] == letters  # type: ignore[union-attr]


def test_many_small_prints_are_reported_together(events: list[Event]) -> None:
    with captured(events.append):
        for _ in range(50_000):
            print(".", end="")

    assert sum(len(each.text) for each in outputs(events)) == 50_000  # type: ignore[union-attr]
    assert len(events) < 5_000


def test_a_line_that_never_ends_takes_no_memory(tmp_path: Path) -> None:
    logs = RunLogs(tmp_path)
    size, pieces = 20_000_000, 100
    with captured(logs):
        print("warm up")
        tracemalloc.start()
        try:
            text = "x" * size
            before = tracemalloc.get_traced_memory()[0]
            sys.stdout.write(text)
            for _ in range(pieces):
                print("y" * 100_000, end="")
            peak = tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()
    logs.close()

    assert peak < size / 2
    *_, line = (tmp_path / PIPELINE_LOG).read_text().splitlines()
    assert line == "x" * size + "y" * 100_000 * pieces


def test_where_no_thread_can_be_had_prints_are_reported_at_once(
    events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(prints_module, "_Flusher", refuse)

    with captured(events.append):
        print("a", end="")
        first = list(events)

    assert first == [Output("stdout", "a")]


def test_no_thread_of_ours_runs_while_a_process_is_forked() -> None:
    with captured(lambda event: None):
        print("a", end="")
        names = {each.name for each in threading.enumerate()}
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
        after = {each.name for each in threading.enumerate()}

    assert "alo-prints" in names
    assert "alo-prints" not in after


def test_raw_output_does_not_get_between_lines_of_json(
    make_solution: MakeSolution, alo: Callable[..., Any]
) -> None:
    home = make_solution({"step": "import os; os.write(1, b'raw'); os.system('echo child')"})

    reported, quiet = alo("run", "--json", cwd=home), alo("run", "--quiet", cwd=home)

    assert all(line.startswith("{") for line in reported.stdout.splitlines())
    assert reported.stderr.startswith("rawchild\n")
    assert (quiet.stdout, quiet.stderr) == ("", "")


def test_a_stream_of_a_closed_host_prints_all_the_same() -> None:
    before, sys.stdout = sys.stdout, io.StringIO()
    sys.stdout.close()
    try:
        with captured(lambda event: None):
            print("x")
            assert not sys.stdout.isatty()
    finally:
        sys.stdout = before


def test_a_stream_shows_what_it_was_asked_for(events: list[Event]) -> None:
    with captured(events.append):
        before = sys.stdout.encoding, sys.stdout.errors
        sys.stdout.reconfigure(line_buffering=False, write_through=True)  # type: ignore[union-attr]
        after = sys.stdout.encoding, sys.stdout.errors
        flags = sys.stdout.line_buffering, sys.stdout.write_through

    assert after == before
    assert flags == (False, True)
