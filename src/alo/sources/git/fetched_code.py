"""What fetched code may not hold, and what it has to, before it is an asset's."""

import os
from pathlib import Path

from alo.errors import SourceError
from alo.plan.model import StepPlan
from alo.plan.suggest import listed


def refuse_bad_links(folder: Path) -> None:
    """A link that leads out of the folder could have a run read, or write, anything."""
    root = os.path.realpath(folder)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(parent, name)
            if os.path.islink(path) and not _stays_inside(path, root):
                raise SourceError(
                    "its repository has a link that leads out of the asset's folder: "
                    f"{os.path.relpath(path, folder)} → {os.readlink(path)}",
                    fix="have the file itself in the repository, below the asset's folder",
                )


def _stays_inside(link: str, root: str) -> bool:
    leads_to = os.path.realpath(link)
    inside = leads_to == root or leads_to.startswith(f"{root}{os.sep}")
    return inside and not os.path.isabs(os.readlink(link))


def refuse_without_asset(folder: Path, step: StepPlan) -> None:
    """Check that the folder of fetched code has the step's asset file.

    Raises:
        SourceError: it has not; names the folders in which one was found.
    """
    from alo.sources.code.loader import asset_file_names

    names = asset_file_names(step.name)
    if any((folder / name).is_file() for name in names):
        return
    found = sorted(path.relative_to(folder).as_posix() for path in folder.glob("**/asset_*.py"))
    hint = f"; it has {listed(found)}: name its folder in 'path'" if found else ""
    inside = f"the folder '{step.source.path}'" if step.source.path else "the root"
    raise SourceError(
        f"{inside} of its repository has no {' or '.join(names)}{hint}",
        fix=f"correct 'code', 'branch' or 'path' of the step, or name the file {names[0]}",
        key="path",
    )
