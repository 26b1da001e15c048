from __future__ import annotations

from pathlib import Path

import pytest

from alo.batch.records import Records
from alo.errors import BatchError

RECORDS = Records("batch", BatchError)


def test_what_was_noted_is_read(tmp_path: Path) -> None:
    RECORDS.write(tmp_path / "file", {"name": "b"})

    assert RECORDS.read(tmp_path / "file", lambda content: content["name"]) == "b"


@pytest.mark.parametrize("content", ["", "[1]", "{", '{"other": 1}', '{"name": null}'])
def test_what_is_not_of_its_form_is_an_error_of_its_kind(tmp_path: Path, content: str) -> None:
    path = tmp_path / "file"
    path.write_text(content)

    with pytest.raises(BatchError, match="the batch cannot be read: ") as raised:
        RECORDS.read(path, lambda content: len(content["name"]))

    assert (raised.value.where, raised.value.fix[:25]) == (str(path), "restore it from a backup,")


def test_a_file_that_is_not_there_is_one_too(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="the batch cannot be read: "):
        RECORDS.read(tmp_path / "file", dict)


def test_so_is_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="the batch cannot be recorded: No such file") as raised:
        RECORDS.write(tmp_path / "missing" / "file", {})

    assert raised.value.where == str(tmp_path / "missing" / "file")
