"""``.package_list/``: the requirements of each step as a text file, where ALO 2.x writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from alo.files import remove_tree, write_whole
from alo.sources.packages.requirements import Requirement

FOLDER = ".package_list"


def write_package_lists(home: Path, by_pipeline: Mapping[str, Sequence[Requirement]]) -> None:
    """Write ``<pipeline>_step_<n>.txt`` for each step that requires something; n counts those."""
    wanted = {}
    for pipeline, requirements in by_pipeline.items():
        by_step: dict[str, list[str]] = {}
        for each in requirements:
            by_step.setdefault(each.step, []).append(f"{each.shown}\n")
        for number, lines in enumerate(by_step.values()):
            content = "".join(lines).encode("utf-8", "backslashreplace")
            wanted[f"{pipeline}_step_{number}.txt"] = content
    folder = home / FOLDER
    if not wanted:
        return
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*_step_*.txt"):
        if old.name not in wanted:
            remove_tree(old)
    for name, content in wanted.items():
        if not _has(folder / name, content):
            write_whole(folder / name, content, durable=False)


def _has(path: Path, text: bytes) -> bool:
    try:
        return path.read_bytes() == text
    except OSError:
        return False
