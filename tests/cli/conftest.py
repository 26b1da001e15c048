"""Fixtures for tests of what a person sees: a terminal to look at."""

from __future__ import annotations

import os
import pty
import select
from collections.abc import Iterator

import pytest

from alo.cli.output import console

from ..waiting import PATIENCE_S

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
