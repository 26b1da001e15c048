"""Fixtures for tests of what a person sees: a terminal to look at."""

from __future__ import annotations

import os
import pty
import select
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alo.cli.main import main
from alo.cli.output import console
from alo.history.entries.save import save_entry
from alo.history.ids import utc_text
from alo.history.record import RunRecord
from alo.layout import Workspace

from ..support.waiting import PATIENCE_S

END = "\0"  # no one writes it


class Terminal:
    """A real terminal (a pseudo one), in the place of the module ``sys`` of the console."""

    def __init__(self) -> None:
        self._screen, keyboard_side = pty.openpty()
        self.stdout = self.stderr = os.fdopen(keyboard_side, "w", encoding="utf-8")

    def seen(self) -> str:
        """All that has been written since the last look; the system may hand it on later."""
        self.stdout.write(END)
        self.stdout.flush()
        seen = b""
        while not seen.endswith(END.encode()):
            assert select.select([self._screen], [], [], PATIENCE_S)[0], seen
            seen += os.read(self._screen, 65536)
        return seen.decode().removesuffix(END).replace("\r\n", "\n")

    def close(self) -> None:
        self.stdout.close()
        os.close(self._screen)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    made = Terminal()
    monkeypatch.setattr(console, "sys", made)  # pytest has the real sys.stdout for itself
    yield made
    made.close()


FIRST = 1_767_225_600.0  # 2026-01-01T00:00:00Z


Keep = Callable[..., Path]


Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "assets").mkdir(parents=True)
    return folder


@pytest.fixture
def keep(home: Path, tmp_path: Path) -> Keep:
    """``keep(3, status="error", ...)``: a run that started 3 minutes into 2026; its entry."""

    def keep_it(minute: int, **fields: Any) -> Path:
        record = RunRecord(
            id=f"20260101T00{minute:02}00Z-0000000{minute}-demo",
            pipeline=fields.pop("pipeline", "train"),
            status=fields.pop("status", "success"),
            start_time=utc_text(FIRST + minute * 60),
            **fields,
        )
        (tmp_path / "artifacts/output").mkdir(parents=True, exist_ok=True)
        (tmp_path / "artifacts/output/a.csv").write_text("1,2")
        return save_entry(
            Workspace(home), record, plan=b"", artifacts=tmp_path / "artifacts", code={}
        )

    return keep_it


@pytest.fixture
def history(home: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """``history("show", ID)``: exit status, stdout and stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        status = main(["history", *words, "--project", str(home)])
        return (status, *capsys.readouterr())

    return call
