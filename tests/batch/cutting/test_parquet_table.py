from __future__ import annotations

import builtins
import io
from pathlib import Path
from typing import Any

import pytest
from tests.batch.cutting.conftest import Inputs

from alo.batch.cutting.cut import cut
from alo.batch.cutting.parts import halves, read_rows, sample_rows
from alo.batch.cutting.write import write_shard
from alo.errors import CutError, StagingError

arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")


def table(rows: int, first: int = 0, **options: Any) -> bytes:
    numbers = list(range(first, first + rows))
    made = arrow.table(
        {"n": arrow.array(numbers, arrow.int32()), "text": [f"t{n}" for n in numbers]}
    )
    file = io.BytesIO()
    parquet.write_table(made.replace_schema_metadata({"own": "note"}), file, **options)
    return file.getvalue()


def test_the_rows_of_all_shards_are_those_of_the_whole_in_order(
    inputs: Inputs, tmp_path: Path
) -> None:
    files = inputs({"a.parquet": table(50, row_group_size=7), "b.pq": table(30, 50)})

    made = cut(files, rows_per_shard=11)

    assert made.rows == 80
    found = []
    for shard in made.shards:
        write_shard(shard, tmp_path / shard.name)
        for path in sorted((tmp_path / shard.name).rglob("*.p*q*")):
            found += parquet.read_table(path)["n"].to_pylist()
    assert found == list(range(80))
    assert made.columns == ("n", "text")


def test_a_shard_has_the_form_of_the_whole(inputs: Inputs, tmp_path: Path) -> None:
    files = inputs({"a.parquet": table(50, compression="zstd")})

    write_shard(cut(files, shards=2).shards[1], tmp_path / "1")

    whole = parquet.ParquetFile(files[0].path)
    part = parquet.ParquetFile(tmp_path / "1/data/a.parquet")
    assert part.schema_arrow.equals(whole.schema_arrow, check_metadata=True)
    assert part.metadata.row_group(0).column(0).compression == "ZSTD"


def test_halves_and_samples_are_of_rows_too(inputs: Inputs) -> None:
    made = cut(inputs({"a.parquet": table(1000, row_group_size=100)}), shards=3)

    parts, sample = halves(made.shards[2]), sample_rows(made, 6)

    assert parts is not None
    assert sample is not None
    assert [row[0] for row in read_rows(parts[1])] == list(range(833, 1000))
    assert [row[0] for row in read_rows(sample)] == [0, 1, 499, 500, 998, 999]


def test_without_a_row_there_is_one_shard(inputs: Inputs, tmp_path: Path) -> None:
    content = table(0)

    (shard,) = cut(inputs({"a.parquet": content}), rows_per_shard=5).shards

    write_shard(shard, tmp_path / "s")
    assert (tmp_path / "s/data/a.parquet").read_bytes() == content


def test_what_is_no_parquet_is_refused_by_its_name(inputs: Inputs) -> None:
    with pytest.raises(CutError, match=r"a\.parquet is no Parquet file"):
        cut(inputs({"a.parquet": b"PAR1 and not much more than that"}), shards=2)


def test_a_source_that_has_changed_is_refused(inputs: Inputs, tmp_path: Path) -> None:
    (shard,) = cut(inputs({"a.parquet": table(10)}), shards=1).shards
    inputs({"a.parquet": table(11)})

    with pytest.raises(StagingError, match=r"a\.parquet has changed"):
        write_shard(shard, tmp_path / "s")


def test_without_pyarrow_it_is_said_what_to_install(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = inputs({"a.parquet": table(10)})
    real = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name == "pyarrow":
            raise ModuleNotFoundError(name=name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)

    with pytest.raises(CutError, match="pyarrow, which is not installed") as caught:
        cut(files, shards=2)
    assert "open-alo[parquet]" in caught.value.fix
    assert len(cut(files, files_per_shard=1).shards) == 1
