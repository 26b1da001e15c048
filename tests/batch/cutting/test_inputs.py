from __future__ import annotations

from pathlib import Path

import pytest
from tests.batch.cutting.conftest import Inputs

from alo.batch.cutting.inputs import list_inputs
from alo.data.location import LocationError


def test_files_are_in_the_order_of_the_sources_then_of_the_parts_of_their_paths(
    inputs: Inputs,
) -> None:
    names = ["b/x.csv", "b/a/z.csv", "b-c.csv", "b/10.csv", "a.csv"]
    inputs({f"one/{name}": b"" for name in names} | {"two.csv": b""})

    files = inputs({}, ["data/two.csv", "data/one"])

    assert [file.name for file in files] == [
        "two.csv",
        "one/a.csv",
        "one/b/10.csv",
        "one/b/a/z.csv",
        "one/b/x.csv",
        "one/b-c.csv",
    ]


def test_sources_of_the_same_name_are_refused(inputs: Inputs) -> None:
    inputs({"one/a.csv": b"", "two/a.csv": b""})

    with pytest.raises(LocationError, match=r"have the same last name 'a\.csv'"):
        inputs({}, ["data/one/a.csv", "data/two/a.csv"])


def test_a_source_that_is_not_there_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(LocationError, match=r"gone\.csv: does not exist"):
        list_inputs(tmp_path, ["gone.csv"], tmp_path / "input")
