"""A request makes log files only where there is something to say."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.events.log_lines import info, warning
from alo.events.types import Output
from alo.workers.request_logs import RequestLogs


@pytest.fixture
def logs(tmp_path: Path) -> RequestLogs:
    return RequestLogs(tmp_path / "artifacts/log", info("[r] request r"))


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in (folder / "artifacts/log").iterdir())


def test_a_request_that_says_nothing_leaves_an_empty_folder(
    logs: RequestLogs, tmp_path: Path
) -> None:
    logs.close()

    assert names(tmp_path) == []


def test_what_is_said_stands_behind_the_line_that_each_request_begins_with(
    logs: RequestLogs, tmp_path: Path
) -> None:
    logs(Output("stdout", "printed\n"))
    logs(warning("odd"))
    logs.close()

    assert names(tmp_path) == ["pipeline.log", "process.log"]
    assert (tmp_path / "artifacts/log/pipeline.log").read_text() == "printed\n"
    first, second = (tmp_path / "artifacts/log/process.log").read_text().splitlines()
    assert "[r] request r" in first
    assert "odd" in second


def test_files_that_are_to_be_kept_are_made_all_the_same(logs: RequestLogs, tmp_path: Path) -> None:
    logs.made()
    logs.close()

    assert names(tmp_path) == ["pipeline.log", "process.log"]
    assert "request r" in (tmp_path / "artifacts/log/process.log").read_text()


def test_a_folder_that_is_there_is_used(tmp_path: Path) -> None:
    logs = RequestLogs(tmp_path, info("first"))

    logs(Output("stdout", "printed\n"))
    logs.close()

    assert (tmp_path / "pipeline.log").read_text() == "printed\n"


def test_a_print_that_cannot_be_kept_fails_no_asset_but_what_keeps_them_is_reported(
    logs: RequestLogs, tmp_path: Path
) -> None:
    folder = tmp_path / "artifacts/log"
    folder.rmdir()
    folder.write_text("in the way")

    logs(Output("stdout", "printed\n"))

    with pytest.raises(OSError, match="Not a directory"):
        logs.made()
