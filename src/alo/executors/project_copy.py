"""A copy of a project in which runs leave the project's own models and artifacts alone."""

from __future__ import annotations

from pathlib import Path

from alo.copies import clone_or_copy, copy_folder
from alo.layout import ASSETS, Workspace

COPIED = (ASSETS, "solution")  # folders that a run may write to
LEFT_OUT = (
    "history", "input", "train_artifacts", "inference_artifacts", "datasets", "studio",
)  # fmt: skip
ENVIRONMENTS = "environments"  # below .alo: packages are installed once


def copy_project(project: Workspace, home: Path) -> None:
    """Fill a folder with what runs need of a project; what they only read is linked to.

    Raises:
        OSError: something cannot be copied.
    """
    for entry in sorted(project.home.iterdir()):
        if entry.name.startswith(".") or entry.name in LEFT_OUT:
            continue
        target = home / entry.name
        if entry.name in COPIED and entry.is_dir():
            copy_folder(entry, target)
        elif entry.is_file():
            clone_or_copy(entry, target)
        else:
            target.symlink_to(entry.resolve())
    (home / ".alo").mkdir()
    if project.internal.is_dir():  # of what a node was sent there is none
        environments = project.internal / ENVIRONMENTS
        environments.mkdir(exist_ok=True)
        (home / ".alo" / ENVIRONMENTS).symlink_to(environments)
