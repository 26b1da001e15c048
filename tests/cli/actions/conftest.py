"""What the tests of commands with actions have in common: a command in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.swept_project import Command

from alo.cli.main import main


@pytest.fixture
def command(home: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """``command(*words)`` of the project: exit status, stdout and stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        status = main([*words, "--project", str(home)])
        written = capsys.readouterr()
        return status, written.out, written.err

    return call
