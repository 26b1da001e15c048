from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.errors import RunError
from alo.events.log_files import LONGEST_LINE, PIPELINE_LOG, PROCESS_LOG, RunLogs
from alo.events.types import LogLine, Output, StepStarted


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[RunLogs]:
    logs = RunLogs(tmp_path)
    yield logs
    logs.close()


def line(text: str, source: str = "USER") -> LogLine:
    return LogLine(0.0, source, "INFO", "asset_train.py", 3, "run", text)


def printed(logs: RunLogs, *pieces: str) -> None:
    for piece in pieces:
        logs(Output("stdout", piece))


def pipeline_log(folder: Path) -> str:
    return (folder / PIPELINE_LOG).read_text()


def fail_writes(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def fail(descriptor: int, content: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", fail)


def test_each_source_has_its_own_file(logs: RunLogs, tmp_path: Path) -> None:
    logs(line("from the asset"))
    logs(line("from the engine", "ALO"))
    printed(logs, "printed\n")

    user, printed_line = pipeline_log(tmp_path).splitlines()
    assert user.endswith("from the asset")
    assert printed_line == "printed"
    assert (tmp_path / PROCESS_LOG).read_text() == f"{line('from the engine', 'ALO').format()}\n"


def test_other_events_leave_no_line(logs: RunLogs, tmp_path: Path) -> None:
    logs(StepStarted("train", 1, 2))

    logs.close()

    assert pipeline_log(tmp_path) == (tmp_path / PROCESS_LOG).read_text() == ""


def test_a_line_is_on_the_disk_as_soon_as_it_ends(logs: RunLogs, tmp_path: Path) -> None:
    printed(logs, "loss", " ")
    before = pipeline_log(tmp_path)
    printed(logs, "0.5\nnext")

    assert before == ""
    assert pipeline_log(tmp_path) == "loss 0.5\n"


def test_a_print_without_a_newline_comes_before_the_log_line_after_it(
    logs: RunLogs, tmp_path: Path
) -> None:
    printed(logs, "waiting...")
    logs(line("done"))

    first, second = pipeline_log(tmp_path).splitlines()
    assert first == "waiting..."
    assert second.endswith("done")


def test_a_print_without_a_newline_is_written_at_the_end(logs: RunLogs, tmp_path: Path) -> None:
    printed(logs, "the last word")

    logs.close()

    assert pipeline_log(tmp_path) == "the last word\n"


def test_a_very_long_print_without_a_newline_is_not_held_back(
    logs: RunLogs, tmp_path: Path
) -> None:
    printed(logs, "x" * LONGEST_LINE, "yz")
    before = pipeline_log(tmp_path)
    printed(logs, "and more")
    logs.close()

    assert before == "x" * LONGEST_LINE + "yz"
    assert pipeline_log(tmp_path) == f"{before}and more\n"


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["\r 10%", "\r 50%", "\r100%", "\n"], "100%\n"),
        (["10%\r", "50%\r", "100%\n"], "100%\n"),
        (["a\r\n", "b\r\n"], "a\nb\n"),
        (["\rbar 1\n\rbar", " 2\n"], "bar 1\nbar 2\n"),
        (["\r 10%", "\r 20%"], " 20%\n"),
        (["\n", "\n"], "\n\n"),
        (["10%\r", "\r", "50%", "\r", "\r\n"], "50%\n"),
        (["done\n50", "%\r", "100", "%\rover", "\nnext"], "done\nover\nnext\n"),
    ],
    ids=[
        *("return first", "return last", "Windows", "two bars", "cut off", "empty lines"),
        *("returns alone", "in pieces"),
    ],
)
def test_of_a_progress_bar_the_last_drawing_stays(
    pieces: list[str], text: str, logs: RunLogs, tmp_path: Path
) -> None:
    printed(logs, *pieces)

    logs.close()

    assert pipeline_log(tmp_path) == text


@given(st.lists(st.text(st.characters(exclude_characters="\r", exclude_categories=()))))
def test_whatever_the_pieces_the_text_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    logs = RunLogs(folder)

    printed(logs, *pieces)
    logs.close()

    text = "".join(pieces)
    whole = f"{text}\n" if text and not text.endswith("\n") else text
    assert (folder / PIPELINE_LOG).read_bytes() == whole.encode("utf-8", "backslashreplace")


def test_lines_of_many_threads_are_each_whole(logs: RunLogs, tmp_path: Path) -> None:
    def speak(name: int) -> None:
        for number in range(200):
            printed(logs, f"{name}:{number}\n")

    threads = [threading.Thread(target=speak, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    wanted = {f"{name}:{number}" for name in range(4) for number in range(200)}
    assert sorted(pipeline_log(tmp_path).splitlines()) == sorted(wanted)


def test_a_file_that_is_there_is_continued(logs: RunLogs, tmp_path: Path) -> None:
    printed(logs, "first\n")
    logs.close()

    again = RunLogs(tmp_path)
    printed(again, "second\n")
    again.close()

    assert pipeline_log(tmp_path) == "first\nsecond\n"


def test_a_full_disk_is_noted_and_reported_once_when_asked(
    logs: RunLogs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        fail_writes(patched, errno.ENOSPC)
        printed(logs, "lost\n")

    with pytest.raises(RunError, match="No space left") as caught:
        logs.check()
    logs.check()

    assert caught.value.where == str(tmp_path)
    assert "make room" in caught.value.fix


def test_another_failure_is_no_matter_of_room(
    logs: RunLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        fail_writes(patched, errno.EIO)
        logs(line("lost"))

    with pytest.raises(RunError, match="cannot be written") as caught:
        logs.check()

    assert "make room" not in caught.value.fix


def test_without_a_failure_the_check_passes(logs: RunLogs) -> None:
    printed(logs, "a\n")

    logs.check()


def test_a_write_that_takes_a_part_only_is_continued(
    logs: RunLogs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda log, content: write(log, content[:3]))
        printed(logs, "0123456789\n")

    assert pipeline_log(tmp_path) == "0123456789\n"


def test_what_comes_after_the_end_is_passed_over(logs: RunLogs, tmp_path: Path) -> None:
    printed(logs, "in time\n")
    logs.close()

    printed(logs, "too late\n")
    logs.close()
    logs.check()

    assert pipeline_log(tmp_path) == "in time\n"
