"""Tables sorted and filtered by DuckDB, whatever is odd in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.ui.readers import orders as sorting
from alo.ui.readers.cache import FileCache
from alo.ui.readers.orders import NoDuckDBError, OrderJob, Orders
from alo.ui.readers.tables import Tables, shown


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables(FileCache(tmp_path / "cache"))


def ordered(tables: Tables, path: Path, job: OrderJob) -> list[list[str]]:
    """The rows in their order."""
    table = tables.open(path)
    order = Orders(tables).order(table, job)
    numbers = order.rows(0, order.total)
    return shown(table, list(zip(numbers, tables.some(table, numbers), strict=True)), 1000).rows


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("n,t\n10,b\n9,a\n,c\nx,d\n-1.5,e\n", "utf-8"),
        ("n;t\r\n10;b\r\n9;a\r\n;c\r\nx;d\r\n-1.5;e\r\n", "utf-16"),
        ('n,값\n10,b\n9,a\n"",c\nx,d\n"-1.5",e\n', "cp949"),
    ],
)
def test_numbers_come_by_value_then_texts_then_nothing(
    tmp_path: Path, tables: Tables, text: str, encoding: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(encoding))

    rising = ordered(tables, path, OrderJob(sort=0))
    falling = ordered(tables, path, OrderJob(sort=0, descending=True))

    assert [row[1] for row in rising] == ["e", "a", "b", "d", "c"]
    assert [row[1] for row in falling] == ["b", "a", "e", "d", "c"]


def test_what_duckdb_reads_otherwise_is_sorted_as_it_is_shown(
    tmp_path: Path, tables: Tables
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'n,t\n3,"open\n\n2,\xff\n1,a,more\n"x"y,d\n0\n')

    found = ordered(tables, path, OrderJob(sort=0))

    assert [row[0] for row in found] == ["0", "1", "2", "3", '"x"y', ""]


def test_a_filter_takes_cells_that_are_the_text_or_else_have_it(
    tmp_path: Path, tables: Tables
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("n,t\n1,ab\n11,ABC\n2,it's\n")

    def names(*filters: tuple[int, str]) -> list[str]:
        return [row[0] for row in ordered(tables, path, OrderJob(filters=filters))]

    assert names((0, "1")) == ["1"]
    assert names((1, "B")) == ["1", "11"]
    assert names((1, "it's")) == ["2"]
    assert names((1, "b"), (0, "11")) == ["11"]
    assert names((1, "nowhere")) == []


def test_values_are_counted_the_most_frequent_first(tmp_path: Path, tables: Tables) -> None:
    path = tmp_path / "t.csv"
    path.write_text("n,t\n" + "1,a\n2,b\n3,b\n4,\n")

    found = Orders(tables).values(tables.open(path), OrderJob(values=1))

    assert found == [("b", 2), ("", 1), ("a", 1)]


def test_a_large_table_is_in_the_same_order_as_its_rows(tmp_path: Path, tables: Tables) -> None:
    path = tmp_path / "t.csv"
    path.write_text("n,t\n" + "".join(f"{n * 7919 % 300_007},x{n}\n" for n in range(300_007)))
    table = tables.open(path)

    order = Orders(tables).order(table, OrderJob(sort=0))

    numbers = order.rows(150_000, 3)
    assert [number * 7919 % 300_007 for number in numbers] == [150_000, 150_001, 150_002]


def test_without_duckdb_it_says_what_to_install(
    tmp_path: Path, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("n\n1\n")
    monkeypatch.setattr(sorting, "find_spec", lambda name: None)

    with pytest.raises(NoDuckDBError) as refused:
        Orders(tables).order(tables.open(path), OrderJob(sort=0))

    assert "open-alo[ui]" in refused.value.fix
