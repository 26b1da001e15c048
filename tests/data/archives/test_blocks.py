"""Blocks of a deflate stream: what shrinks is compressed, what does not is stored."""

from __future__ import annotations

from pathlib import Path

from alo.data.export import export_artifacts

from .conftest import contents_to_pack


def test_what_is_dense_is_stored_and_what_is_not_shrinks(folder: Path, tmp_path: Path) -> None:
    export_artifacts(folder, "train", tmp_path / "to", "tar.gz")

    size = (tmp_path / "to/model.tar.gz").stat().st_size
    text = len(contents_to_pack()["models/text"])
    assert 1_300_000 < size < 1_300_000 + 0.75 * text
