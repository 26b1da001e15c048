"""The generated pages are those that the code gives now, and name all that is public."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import alo
import alo.testing
import alolib.asset
from alo.cli.actions.dispatch import MODULES, actions_of
from alo.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs/reference"


def make_reference(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "scripts/make_reference.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_generated_pages_are_up_to_date() -> None:
    done = make_reference(ROOT, "--check")

    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize("page", ["command-line.md", "python-api.md"])
def test_a_stale_page_is_named_and_written_anew(tmp_path: Path, page: str) -> None:
    (tmp_path / "src").symlink_to(ROOT / "src")
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    reference = tmp_path / "docs/reference"
    reference.mkdir(parents=True)
    for script in ROOT.glob("scripts/**/*.py"):
        copy = tmp_path / script.relative_to(ROOT)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(script.read_text())
    for name in ("command-line.md", "python-api.md"):
        (reference / name).write_text((REFERENCE / name).read_text())
    (reference / page).write_text("old")

    reported = make_reference(tmp_path, "--check")
    written = make_reference(tmp_path)

    assert (reported.returncode, reported.stdout.split()[0]) == (1, f"docs/reference/{page}"), (
        reported.stderr
    )
    assert written.returncode == 0
    assert (reference / page).read_text() == (REFERENCE / page).read_text()


def test_every_command_and_action_has_a_section() -> None:
    lines = (REFERENCE / "command-line.md").read_text(encoding="utf-8").splitlines()

    assert {f"## alo {name}" for name in COMMANDS} <= set(lines)
    assert {f"### alo {it} {name}" for it in MODULES for name in actions_of(it)} <= set(lines)


def test_every_public_name_has_a_section() -> None:
    lines = (REFERENCE / "python-api.md").read_text(encoding="utf-8").splitlines()
    modules = (alo, alo.testing, alolib.asset)
    names = [f"{each.__name__}.{name}" for each in modules for name in each.__all__]

    assert [name for name in names if f"### {name}" not in lines] == ["alo.__version__"]
