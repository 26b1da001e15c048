"""The state of a project that is sent to nodes: plan, assets, lock and the modules they import.

What ALO and tools make in a project's folder, and data that is sent by itself, is not in it;
neither is what ``.aloignore`` names, in the patterns of a ``.gitignore``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from alo.copies import clone_or_copy
from alo.engine.spec import Job
from alo.errors import ExecutorError
from alo.executors.node.ignoring import Ignored
from alo.executors.node.rebase import local_sources
from alo.layout import OWN_FOLDERS, TRASH_PREFIX

IGNORE_FILE = ".aloignore"
NEVER = (
    ".git", ".hg", ".svn", ".venv", "venv", ".env", ".tox", ".nox", "__pycache__",
    ".mypy_cache", ".pytest_cache", ".ruff_cache", ".ipynb_checkpoints", ".idea", ".vscode",
    "node_modules", ".package_list", ".dvc",
)  # fmt: skip
OF_PROJECT = (*OWN_FOLDERS, "studio", "datasets")  # in its folder: a step may be named `input`
MUCH, TOO_MUCH = 64_000_000, 512_000_000  # bytes
LISTED = 5


def take_snapshot(jobs: Mapping[str, Job], target: Path) -> tuple[str, ...]:
    """Copy what nodes need of a project into a new folder; returns what a user should know.

    Raises:
        OSError: it cannot be read or written.
        ExecutorError: it is too large.
    """
    home = next(iter(jobs.values())).workspace.home
    found = list(_found(home, Ignored.of_file(home / IGNORE_FILE), _data(jobs)))
    sizes = sorted(((size, name) for name, size in found if size >= 0), reverse=True)
    warnings = _warnings(home, sizes)
    target.mkdir()
    for name, size in found:
        if size < 0:
            (target / name).mkdir()
        else:
            clone_or_copy(home / name, target / name)
    return warnings


def _data(jobs: Mapping[str, Job]) -> set[str]:
    """Files that are sent by themselves."""
    return {os.path.realpath(path) for job in jobs.values() for path in local_sources(job).values()}


def _found(
    home: Path, ignored: Ignored, data: set[str], prefix: str = "", seen: tuple[str, ...] = ()
) -> Iterator[tuple[str, int]]:
    """Names and sizes, each folder (of size -1) before what is in it; links are followed."""
    here = os.path.realpath(home / prefix)
    if here in seen:  # a link to a folder that it is in
        return
    for entry in sorted(os.scandir(home / prefix), key=lambda each: each.name):
        name = f"{prefix}{entry.name}"
        is_folder = entry.is_dir()
        if entry.name in NEVER or entry.name.startswith(TRASH_PREFIX):
            continue
        if name in OF_PROJECT:
            continue
        if ignored.has(name, is_folder=is_folder):
            continue
        if is_folder:
            yield name, -1
            yield from _found(home, ignored, data, f"{name}/", (*seen, here))
        elif entry.is_file() and os.path.realpath(entry.path) not in data:
            yield name, entry.stat().st_size


def _warnings(home: Path, sizes: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    total = sum(size for size, _ in sizes)
    if total <= MUCH:
        return ()
    listed = "\n".join(f"  {size / 1e6:,.1f} MB  {name}" for size, name in sizes[:LISTED])
    what = f"the project is {total / 1e6:,.0f} MB, which each node is sent; its largest files:\n"
    fix = f"name what runs do not need in {IGNORE_FILE}, in the patterns of a .gitignore"
    if total > TOO_MUCH:
        most = f"more than {TOO_MUCH / 1e6:,.0f} MB is not sent"
        raise ExecutorError(f"{what}{listed}\n{most}", where=str(home), fix=fix)
    return (f"{what}{listed}\n{fix}",)
