from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.batch.cutting.conftest import Inputs, staged

from alo.batch.cutting.cut import cut
from alo.batch.cutting.parts import halves, read_rows, sample_rows
from alo.batch.cutting.shard import Shard
from alo.errors import StagingError


def table(rows: int, first: int = 0) -> bytes:
    return b"a,b\n" + b"".join(b'%d,"x\n"\n' % row for row in range(first, first + rows))


def all_halves(shard: Shard) -> Iterator[Shard]:
    """What is left once everything is halved as often as can be."""
    parts = halves(shard)
    if parts is None:
        yield shard
    else:
        for part in parts:
            yield from all_halves(part)


def test_halving_ends_at_single_rows_in_their_order(inputs: Inputs) -> None:
    made = cut(inputs({"a.csv": table(7), "b.csv": table(4, 7)}), shards=1)

    found = list(all_halves(made.shards[0]))

    assert [shard.rows for shard in found] == [1] * 11
    assert [list(read_rows(shard)) for shard in found] == [[(f"{n}", "x\n")] for n in range(11)]
    assert list(found[8].row_places()) == [("data/b.csv", 1)]


def test_a_half_is_staged_as_the_whole_would_be(inputs: Inputs, tmp_path: Path) -> None:
    (shard,) = cut(inputs({"a.csv": table(3), "s.json": b"{}"}), shards=1).shards

    parts = halves(shard)

    assert parts is not None
    assert [part.name for part in parts] == ["0000.0", "0000.1"]
    assert staged(parts[1], tmp_path / "1") == {
        "data/a.csv": b'a,b\n1,"x\n"\n2,"x\n"\n',
        "data/s.json": b"{}",
    }


def test_whole_files_are_halved_down_to_one(inputs: Inputs) -> None:
    (shard,) = cut(inputs({f"{n}.csv": table(5) for n in range(3)}), files_per_shard=3).shards

    found = [[piece.file.name for piece in part.pieces] for part in all_halves(shard)]

    assert found == [["data/0.csv"], ["data/1.csv"], ["data/2.csv"]]


@pytest.mark.parametrize("shards", [1, 7, 100])
def test_a_sample_is_of_both_ends_and_the_middle(shards: int, inputs: Inputs) -> None:
    made = cut(inputs({"a.csv": table(600), "b.csv": table(400, 600)}), shards=shards)

    sample = sample_rows(made, 200)

    assert sample is not None
    assert [int(str(row[0])) for row in read_rows(sample)] == [
        *range(68),
        *range(467, 533),
        *range(934, 1000),
    ]


@pytest.mark.parametrize("rows", [0, 1, 199, 200, 201, 202, 250])
def test_a_sample_of_few_rows_has_each_once(rows: int, inputs: Inputs) -> None:
    sample = sample_rows(cut(inputs({"a.csv": table(rows)}), rows_per_shard=33), 200)

    assert sample is not None
    found = [int(str(row[0])) for row in read_rows(sample)]
    assert found == sorted(set(found))
    assert len(found) == min(200, rows)


def test_whole_files_have_no_sample_of_rows(inputs: Inputs) -> None:
    assert sample_rows(cut(inputs({"a.csv": table(3)}), files_per_shard=1), 200) is None


def test_nothing_is_made_of_a_source_that_has_changed(inputs: Inputs) -> None:
    (shard,) = cut(inputs({"a.csv": table(30)}), shards=1).shards
    inputs({"a.csv": table(31)})

    with pytest.raises(StagingError, match=r"a\.csv has changed"):
        halves(shard)
