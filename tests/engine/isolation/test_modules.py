"""Code from ``PYTHONPATH`` and the like is known by its checksum; none of a project's is."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from alo.engine.isolation.modules import outside_code
from alo.files import checksum
from alo.sources.code.finder import Roots


def test_only_what_is_imported_from_elsewhere_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("project", "elsewhere"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text(folder)
        module = ModuleType(f"a_{folder}")
        module.__file__ = str(tmp_path / folder / "a.py")
        monkeypatch.setitem(sys.modules, module.__name__, module)
    gone = ModuleType("is_gone")
    gone.__file__ = str(tmp_path / "elsewhere/gone.py")
    monkeypatch.setitem(sys.modules, gone.__name__, gone)

    found = outside_code(Roots(tmp_path / "project"))

    ours = {path: known for path, known in found.items() if path.startswith(str(tmp_path))}
    assert ours == {
        str(tmp_path / "elsewhere/a.py"): checksum(tmp_path / "elsewhere/a.py"),
    }
    of_python = ("/json/__init__.py", "/_pytest/python.py")
    assert not [path for path in found if path.endswith(of_python)]
