"""Errors name what people know, and no temporary path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alo.errors import DatasetError
from alo.real_names import real_names


def test_a_file_that_cannot_be_opened_is_named_as_it_was_to_be_called(tmp_path: Path) -> None:
    new, known = tmp_path / ".new-1", tmp_path / "v1"

    with pytest.raises(FileNotFoundError) as reported, real_names({new: known}):
        (new / "train/a.csv").read_bytes()

    assert reported.value.filename == str(known / "train/a.csv")
    assert ".new" not in str(reported.value)


def test_a_rename_that_fails_names_its_target_once(tmp_path: Path) -> None:
    new, known = tmp_path / ".new-1", tmp_path / "v1"

    with pytest.raises(FileNotFoundError) as reported, real_names({new: known}):
        os.rename(new, known)

    assert str(reported.value) == f"[Errno 2] No such file or directory: '{known}'"


def test_of_paths_that_are_in_each_other_the_first_counts(tmp_path: Path) -> None:
    new, base = tmp_path / ".new-1", tmp_path / "base"
    names = {new / "train/base": base, new: tmp_path / "v1"}

    with pytest.raises(DatasetError) as reported, real_names(names):
        raise DatasetError(
            f"{new}/rows.jsonl is odd", where=str(new / "train/base/a.csv"), fix=f"see {new}"
        )

    assert reported.value.what == str(reported.value.args[0]) == f"{tmp_path}/v1/rows.jsonl is odd"
    assert reported.value.where == str(base / "a.csv")
    assert reported.value.fix == f"see {tmp_path}/v1"


def test_errors_of_no_file_and_of_other_files_are_as_they_were(tmp_path: Path) -> None:
    for error in (OSError(28, "full"), OSError(2, "gone", "a", None, "b"), KeyError("x")):
        before = str(error)

        with pytest.raises(type(error)), real_names({tmp_path: Path("other")}):
            raise error

        assert str(error) == before
