"""What an inference run must leave behind: a summary, and a table, an image or one of each."""

from __future__ import annotations

import os
from pathlib import Path

from alo.errors import ResultError
from alo.named_tuples import NamedTuple

TABLES = (".csv",)
IMAGES = (".jpg", ".jpeg", ".png", ".svg")
LOOKED_FOR = (".csv", ".jpg", ".jpeg", ".png")  # by the edge client of ALO 2.x, written so


class Results(NamedTuple):
    """What an inference has left."""

    outputs: tuple[str, ...]  # names of the files in output/
    odd: tuple[str, ...]  # what is odd about it, a line each


def check_results(artifacts: Path) -> Results:
    """See that ``inference_artifacts/`` holds what clients read from it.

    Raises:
        ResultError: there is no summary, or ``output/`` holds something else than it should.
    """
    if not os.path.isfile(f"{artifacts}/score/inference_summary.yaml"):
        raise ResultError(
            "the inference pipeline has left no summary",
            where=f"{artifacts.name}/score/inference_summary.yaml",
            fix="call self.asset.save_summary(result=..., score=...) in one of its steps",
        )
    names = _files_in(f"{artifacts}/output")
    suffixes = [os.path.splitext(name)[1].lower() for name in names]
    tables = sum(suffix in TABLES for suffix in suffixes)
    images = sum(suffix in IMAGES for suffix in suffixes)
    if tables > 1 or images > 1 or tables + images != len(names) or not names:
        shown = ", ".join([*names[:10], "..."] if len(names) > 10 else names)
        allowed = f"one table ({' '.join(TABLES)}), one image ({' '.join(IMAGES)}), or one of each"
        raise ResultError(
            f"the inference pipeline's output folder {f'holds {shown}' if names else 'is empty'}; "
            f"it must hold {allowed}",
            where=f"{artifacts.name}/output/",
            fix="write the result to self.asset.get_output_path(), and anything else to "
            "self.asset.get_extra_output_path()",
        )
    odd = (
        f"output/{name}: the edge client of ALO 2.x looks for {' '.join(LOOKED_FOR)}, written "
        "so, and will not find it"
        for name in names
        if not name.endswith(LOOKED_FOR)
    )
    return Results(tuple(names), tuple(odd))


def _files_in(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_file())
    except FileNotFoundError:
        return []
