"""Lines of a .gitignore, as git reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from alo.executors.node.ignoring import Ignored

NAMES = (
    "a.log", "sub/a.log", "sub/deep/a.log", "keep.log", "build/x", "sub/build/x", "doc/a.txt",
    "doc/deep/a.txt", "doc/deep/er/a.txt", "b1.csv", "b2.csv", "b[1].csv", "x y", "#odd", "!odd",
)  # fmt: skip


@pytest.mark.parametrize(
    "lines",
    [
        ["*.log", "!keep.log"], ["build/"], ["/build"], ["doc/*.txt"], ["doc/**/a.txt"], ["doc/**"],
        ["**/a.log"], ["b[12].csv"], ["b[!1].csv"], ["b\\[1].csv"], ["x y  "], ["\\#odd"],
        ["\\!odd"], ["# a remark", ""], ["sub/deep"], ["?.log"], ["a.log/"], ["b[z-a].csv"],
    ],
)  # fmt: skip
def test_it_is_as_git_has_it(tmp_path: Path, lines: list[str]) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("\n".join(lines))
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    listed = subprocess.run(
        ["git", "-C", str(tmp_path), "ls-files", "-o", "-i", "--exclude-standard", "-z"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip

    ignored = Ignored.of_file(tmp_path / ".gitignore")

    assert {each for each in listed.split("\0") if each} == {
        name for name in NAMES if _is_ignored(ignored, name)
    }


def _is_ignored(ignored: Ignored, name: str) -> bool:
    parts = name.split("/")
    folders = ["/".join(parts[:at]) for at in range(1, len(parts))]
    if any(ignored.has(each, is_folder=True) for each in folders):
        return True
    return ignored.has(name, is_folder=False)


def test_without_a_file_nothing_is_ignored(tmp_path: Path) -> None:
    assert not Ignored.of_file(tmp_path / "none").has("a", is_folder=False)
