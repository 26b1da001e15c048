"""The files of a batch's input in its order: sources as given, then paths by their parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alo.data.location import NO_PROFILE, Access, SourceFile
from alo.data.locations import list_by_source
from alo.files import many_objects


def list_inputs(
    home: Path, paths: Sequence[str], target: Path, access: Access = NO_PROFILE
) -> list[SourceFile]:
    """Every file of these sources, and every folder that holds nothing.

    Args:
        paths: as the plan or the command line writes them.
        target: the folder they will be staged into, which no source may hold or lie in.
    Raises:
        LocationError: the first thing that is wrong with one of them.
    """
    with many_objects():
        files: list[SourceFile] = []
        for found in list_by_source(home, paths, target, access):
            files += sorted(found, key=_parts)
        return files


def _parts(file: SourceFile) -> list[str]:
    return file.name.split("/")
