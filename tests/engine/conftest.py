"""What several files of tests have in common: a cache of the sources that is a test's own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALO_CACHE_DIR", str(tmp_path / "cache"))
