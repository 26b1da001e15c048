"""Rows that people have labelled, and a project's data sets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.datasets.catalog import Catalog
from alo.datasets.rows import ReviewedRow
from alo.layout import Workspace
from alo.tables.content import row_content

MakeRow = Callable[..., ReviewedRow]


def make_row(number: int = 0, label: str = "good", **changes: object) -> ReviewedRow:
    """A row of the columns `id` and `x`."""
    values = {"id": f"k{number}", "x": str(number)}
    fields: dict[str, object] = {
        "record": f"run:{number}",
        "content": row_content(["id", "x"])(list(values.values())),
        "run": "run",
        "model": "m",
        "predicted": "good",
        "certainty": 0.9,
        "label": label,
        "by": "ada",
        "at": "t",
        "source": "random",
        "weight": 2.0,
        "columns": tuple(values),
        "values": list(values.values()),
        "key": values["id"],
    }
    return ReviewedRow(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(Workspace(tmp_path))
