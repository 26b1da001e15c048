"""What steps have printed and logged, and fresh interpreters to do so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from alo.events.types import Event, Output

from ...support.waiting import PATIENCE_S


@pytest.fixture
def in_process(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run code in a fresh interpreter, where ``heard`` is what the listener got."""

    def call(code: str, **options: Any) -> subprocess.CompletedProcess[str]:
        head = "from alo.engine.isolation.capture import captured\nheard = []\n"
        path = tmp_path / "script.py"
        path.write_text(head + dedent(code))
        command = [sys.executable, str(path)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, **options
        )

    return call


def text_of(heard: list[Event], stream: str = "stdout") -> str:
    return "".join(e.text for e in heard if isinstance(e, Output) and e.stream == stream)
