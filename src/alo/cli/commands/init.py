"""``alo init``: a new project from a template, with sample data, that runs at once."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
from pathlib import Path

from alo import templates
from alo.cli.output import console
from alo.cli.output.format import short_path
from alo.errors import UsageError
from alo.files import discard, is_leftover, temporary_beside
from alo.layout import PLAN_NAME
from alo.real_names import real_names

TEMPLATES = ("tabular", "image", "minimal")
TEMPLATE_HOME = Path(str(templates.__file__)).parent
PLACEHOLDER = "SOLUTION_NAME"
NEW_NAMES = {"gitignore": ".gitignore"}  # with its dot, git would obey it in the template already


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the project's folder: a name, or a path")
    parser.add_argument(
        "--template",
        choices=TEMPLATES,
        default="tabular",
        help="what it begins with: CSV files, pictures, or one step a pipeline (default: tabular)",
    )


def execute(options: argparse.Namespace) -> int:
    if not options.name.strip():  # a variable that was not set, and not the folder that is here
        raise UsageError(f"{options.name!r} cannot be the name of a project")
    folder = Path(os.path.abspath(options.project / options.name))
    make_project(folder, options.template)
    console.write(f"{folder} is ready, from the template '{options.template}'. Next:")
    if folder != Path.cwd():
        console.write(f"  cd {shlex.quote(short_path(str(folder)))}")
    console.write("  alo run          train, then inference, on the sample data")
    console.write("  alo history      what has run")
    console.write("README.md there says what to change to make it yours.")
    return 0


def make_project(folder: Path, template: str) -> None:
    """Write the template's files into a folder that is not there yet, or is empty.

    Raises:
        UsageError: the folder holds something, or cannot have this name.
    """
    _check_target(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # A folder that is there may be another disk, a volume, to which nothing can be renamed.
    building = temporary_beside(folder / folder.name if folder.exists() else folder)
    try:
        with real_names({building: folder}):
            _copy(TEMPLATE_HOME / "common", building)
            _copy(TEMPLATE_HOME / template, building)
            _write_name(building, folder.name)
            _put_in_place(building, folder)
    finally:
        discard(building)


def _check_target(folder: Path) -> None:
    if not folder.name.isprintable() or not folder.name.strip():
        raise UsageError(
            f"{folder.name!r} cannot be the name of a project", fix="use letters, digits, - and _"
        )
    if folder.is_symlink() or folder.exists():
        if not folder.is_dir():
            what = "is there already, and is no folder"
        elif any(_is_content(path.name) for path in folder.iterdir()):
            what = "is there already, and not empty"
        else:
            return
        raise UsageError(
            f"the folder {what}; nothing was changed", where=str(folder), fix="choose another name"
        )


def _is_content(name: str) -> bool:
    """Not what a new disk has, nor what a killed ``alo init`` has left."""
    return name != "lost+found" and not is_leftover(name)


def _copy(source: Path, target: Path) -> None:
    """The content only: an installed package may be read-only, and not all disks have modes."""
    target.mkdir(exist_ok=True)
    for path in source.iterdir():
        if path.is_dir() and path.name != "__pycache__":
            _copy(path, target / path.name)
        elif path.is_file():
            shutil.copyfile(path, target / path.name)


def _write_name(building: Path, name: str) -> None:
    for old, new in NEW_NAMES.items():
        (building / old).rename(building / new)
    # A JSON text is a YAML text too, whatever letters the name has.
    _replace(building / "solution" / PLAN_NAME, json.dumps(name, ensure_ascii=False))
    _replace(building / "README.md", name)


def _replace(path: Path, name: str) -> None:
    text = path.read_text(encoding="utf-8").replace(PLACEHOLDER, name)
    path.write_text(text, encoding="utf-8")


def _put_in_place(building: Path, folder: Path) -> None:
    """All at once, unless an empty folder is there: it stays, as a shell may be in it."""
    if not folder.exists():
        building.rename(folder)
        return
    for path in building.iterdir():
        path.rename(folder / path.name)
