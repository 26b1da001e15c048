"""The copy of a run's code stays what it was, and large files are on the disk once."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.engine.steps import code_copy
from alo.engine.steps.code_copy import snapshot
from alo.files import checksum


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    for name in ("a.py", "weights"):
        (tmp_path / name).write_text(f"{name} at the beginning")
    return {name: tmp_path / name for name in ("a.py", "weights")}


def test_an_edit_does_not_reach_the_copy(files: dict[str, Path], tmp_path: Path) -> None:
    copies, checksums = snapshot(files, tmp_path / "copies")
    files["a.py"].write_text("edited")

    assert copies["a.py"].read_text() == "a.py at the beginning"
    assert checksums == {name: checksum(copy) for name, copy in copies.items()}


@pytest.mark.parametrize("is_large", [True, False])
def test_only_a_large_file_that_is_the_same_is_a_second_name_of_an_earlier_copy(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_large: bool
) -> None:
    size = files["weights"].stat().st_size
    monkeypatch.setattr(code_copy, "LARGE", size - 1 if is_large else size)
    first, checksums = snapshot(files, tmp_path / "first")
    earlier = {checksums["weights"]: first["weights"]}

    second, again = snapshot(files, tmp_path / "second", lambda: earlier)
    files["weights"].write_text("the weights are others now")
    third, others = snapshot(files, tmp_path / "third", lambda: earlier)

    assert again == checksums
    assert second["weights"].samefile(first["weights"]) is is_large
    assert not second["a.py"].samefile(first["a.py"])
    assert third["weights"].read_text() == "the weights are others now"
    assert others["weights"] != checksums["weights"]
