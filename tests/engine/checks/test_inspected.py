"""An asset that was found well is not parsed again, until anything that says so has changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import MakeSolution, write_asset

from alo.engine.checks import inspected
from alo.engine.checks.inspected import Inspected
from alo.layout import Workspace
from alo.sources.code.inspection import inspection_of

Alo = Callable[..., "subprocess.CompletedProcess[str]"]
Look = Callable[[], list[str]]

ASSET = """\
import helper
import alo_helper_of_test
from statistics import mean
from alolib.asset import Asset


class UserAsset(Asset):
    def run(self):
        pass
"""


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits until its files have settled."""
    monkeypatch.setattr(inspected, "SETTLED_NS", -10_000_000_000)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that Python looks in, with a module that the asset imports."""
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / "alo_helper_of_test.py").touch()
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def home(tmp_path: Path, packages: Path) -> Path:
    home = tmp_path / "project"
    path = write_asset(home, "one", ASSET)
    (path.parent / "helper.py").write_text("import deeper\n")
    (home / "deeper.py").write_text("X = 1\n")
    return home


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps whose assets were parsed."""
    steps: list[str] = []

    def look(folder: Path, step: str, **more: object) -> object:
        steps.append(step)
        return inspection_of(folder, step, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("alo.sources.code.inspection.inspection_of", look)
    return steps


@pytest.fixture
def look(home: Path) -> Look:
    """What a run finds that looks at the asset, and remembers it."""

    def call(*, installs: bool = False) -> list[str]:
        file = Workspace(home).inspected
        one = Inspected(file)
        problems = one.problems(home / "assets/one", "one", home=home, installs=installs)
        one.keep()
        return [problem.what for problem in problems]

    return call


def test_an_asset_that_is_as_it_was_is_not_parsed_again(look: Look, parsed: list[str]) -> None:
    assert (look(), look(), look()) == ([], [], [])

    assert parsed == ["one"]


def _write_as_before(path: Path, text: str) -> None:
    """Another text of the same length, with the times that the file had."""
    known = path.stat()
    assert len(text) == known.st_size
    path.write_text(text)
    os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns))


def _break_asset(home: Path) -> None:
    path = home / "assets/one/asset_one.py"
    _write_as_before(path, path.read_text().replace("import helper", "import (elper"))


def _break_helper(home: Path) -> None:
    (home / "assets/one/helper.py").write_text("import deeper(\n")


def _break_what_the_helper_imports(home: Path) -> None:
    _write_as_before(home / "deeper.py", "X = (\n")


def _add_a_module_that_comes_first(home: Path) -> None:
    (home / "assets/one/deeper.py").write_text("X = (\n")


def _remove_a_helper(home: Path) -> None:
    (home / "deeper.py").unlink()


def _shadow_a_module_of_python(home: Path) -> None:
    (home / "assets/one/statistics.py").write_text("def median(): pass\n")
    asset = home / "assets/one/asset_one.py"
    asset.write_text(asset.read_text().replace("import mean", "import mead"))


def _remove_a_package(home: Path) -> None:
    (home.parent / "packages/alo_helper_of_test.py").unlink()


CHANGES = (
    _break_asset,
    _break_helper,
    _break_what_the_helper_imports,
    _add_a_module_that_comes_first,
    _remove_a_helper,
    _shadow_a_module_of_python,
    _remove_a_package,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__[1:])
def test_whatever_changes_is_seen(change: Callable[[Path], None], home: Path, look: Look) -> None:
    assert look() == []
    time.sleep(0.01)  # file systems count some ms at once
    change(home)

    assert len(look()) == 1
    assert len(look()) == 1  # nor is that forgotten


def test_a_file_that_comes_to_shadow_pythons_is_seen(home: Path, look: Look) -> None:
    asset = home / "assets/one/asset_one.py"
    asset.write_text(asset.read_text().replace("import mean", "import mead"))
    assert look() == []  # of Python's own nothing is said
    (home / "assets/one/statistics.py").touch()

    assert len(look()) == 1


@pytest.mark.parametrize("content", ["", "[", "[1, 2]", "7", '[null, {"a": 1}]'])
def test_a_damaged_file_is_as_if_it_were_not_there(
    content: str, home: Path, look: Look, parsed: list[str]
) -> None:
    look()
    Workspace(home).inspected.write_text(content)

    assert look() == []
    assert parsed == ["one", "one"]


def test_damaged_stamps_are_none(home: Path, look: Look, parsed: list[str]) -> None:
    look()
    file = Workspace(home).inspected
    here, known = json.loads(file.read_bytes())
    for broken in ([False], {"a": 1}, [False, [1]], [False, {"\0": [0, 0]}]):
        file.write_text(json.dumps([here, dict.fromkeys(known, broken)]))
        assert look() == []

    assert parsed == ["one"] * 5


def test_another_alo_looks_again(
    look: Look, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    look()
    monkeypatch.setattr(inspected, "__version__", "another")
    look()

    assert parsed == ["one", "one"]


def test_what_need_not_be_installed_yet_has_to_be_where_nothing_installs_it(
    packages: Path, look: Look
) -> None:
    (packages / "alo_helper_of_test.py").unlink()
    assert look(installs=True) == []

    assert len(look(installs=False)) == 1


def test_a_module_that_only_this_process_has_is_asked_for_again(
    packages: Path, look: Look, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (packages / "alo_helper_of_test.py").unlink()
    monkeypatch.setitem(sys.modules, "alo_helper_of_test", sys)
    assert (look(), look()) == ([], [])

    assert parsed == ["one", "one"]


def test_what_was_written_a_moment_ago_is_looked_at_again(
    look: Look, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspected, "SETTLED_NS", 3_600_000_000_000)
    assert (look(), look()) == ([], [])

    assert parsed == ["one", "one"]


def test_a_run_reports_what_a_check_does_though_the_asset_was_found_well(
    make_solution: MakeSolution, alo: Alo
) -> None:
    home = make_solution({"one": "pass"}, control={"cache": True})
    path = home / "assets/one/asset_one.py"
    long_ago = time.time() - 60
    os.utime(path, (long_ago, long_ago))
    for _ in range(2):
        assert alo("run", cwd=home).returncode == 0
    _write_as_before(path, path.read_text().replace("pass", "pas("))

    run, check = alo("run", cwd=home), alo("check", cwd=home)

    assert run.returncode == check.returncode == 2
    assert "syntax error" in run.stderr
    assert run.stderr == check.stderr


def test_a_check_looks_at_every_asset_and_remembers_nothing(
    make_solution: MakeSolution, alo: Alo
) -> None:
    home = make_solution({"one": "pas("})

    assert alo("check", cwd=home).returncode == 2
    assert not Workspace(home).inspected.exists()
