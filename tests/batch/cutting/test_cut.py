from __future__ import annotations

import os
import tempfile
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.batch.cutting.conftest import Inputs, read, staged

from alo.batch.cutting import csv_table
from alo.batch.cutting.cut import cut
from alo.batch.cutting.inputs import list_inputs
from alo.batch.cutting.shard import CsvRows, Cut, WholeFile
from alo.data.location import SourceFile
from alo.errors import CutError, StagingError

CELL = st.text(st.sampled_from('ab ,\n\r"한'), max_size=6)
QUOTED_CELL = CELL.map(lambda text: '"' + text.replace('"', '""') + '"')
LINE_END = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\r\n\r\n"])
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp949")


@st.composite
def csv_text(draw: st.DrawFn, header: str = "id,text") -> str:
    """A table as people write it: quotes where they need not be, mixed ends of lines."""
    lines = [header]
    for number in range(draw(st.integers(0, 12))):
        lines.append(f"{number},{draw(QUOTED_CELL)}")
    ends = [draw(LINE_END) for _ in lines]
    if draw(st.booleans()):
        ends[-1] = ""
    return "".join(map("".join, zip(lines, ends, strict=True)))


@settings(deadline=None)
@given(
    texts=st.lists(csv_text(), min_size=1, max_size=3),
    encoding=st.sampled_from(ENCODINGS),
    chunk=st.sampled_from([8, 64, 1 << 20]),
    number=st.integers(1, 15),
    by_rows=st.booleans(),
)
def test_the_rows_of_all_shards_are_those_of_the_whole_in_order(
    texts: list[str], encoding: str, chunk: int, number: int, by_rows: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_table, "CHUNK", chunk)
        home, contents = Path(folder), {}
        (home / "data").mkdir()
        for at, text in enumerate(texts):
            contents[f"data/{at}.csv"] = text.encode(encoding)
            (home / f"data/{at}.csv").write_bytes(contents[f"data/{at}.csv"])
        files = list_inputs(home, ["data"], home / "input")

        made = cut(files, rows_per_shard=number) if by_rows else cut(files, shards=number)

        whole = {name: read(content, encoding) for name, content in contents.items()}
        rows = {name: [row for row in read_[1:] if row] for name, read_ in whole.items()}
        everything = list(chain.from_iterable(rows.values()))
        assert made.rows == len(everything)
        found = []
        for shard in made.shards:
            parts = staged(shard, home / "shards" / shard.name)
            in_shard = [
                row
                for name, content in sorted(parts.items())
                for row in read(content, encoding)[1:]
                if row
            ]
            assert shard.rows == len(in_shard)
            for name, content in parts.items():
                assert read(content, encoding)[0] == whole[name][0]
            found += in_shard
        assert found == everything
        sizes = [shard.rows or 0 for shard in made.shards]
        if by_rows:
            assert all(size == number for size in sizes[:-1])
        else:
            assert max(sizes) - min(sizes) <= 1
        assert rejoined(made, files) == {
            name: content for name, content in contents.items() if rows[name]
        }


def rejoined(made: Cut, files: list[SourceFile]) -> dict[str, bytes]:
    """The bytes of all spans of each file, behind its head."""
    found: dict[str, bytes] = {}
    for shard in made.shards:
        for piece in shard.pieces:
            assert isinstance(piece, CsvRows)
            content = Path(piece.file.path).read_bytes()
            head = content[: piece.table.head]
            found[piece.file.name] = (
                found.get(piece.file.name, head) + content[piece.start : piece.end]
            )
    return found


def places(made: Cut) -> list[list[tuple[str, int]]]:
    return [list(shard.row_places()) for shard in made.shards]


def table(rows: int, header: str = "a,b") -> bytes:
    return "".join([f"{header}\n", *(f"{n},x\n" for n in range(rows))]).encode()


def test_a_shard_may_have_the_end_of_one_table_and_the_begin_of_the_next(inputs: Inputs) -> None:
    made = cut(inputs({"a.csv": table(3), "b.csv": table(2)}), rows_per_shard=2)

    a, b = "data/a.csv", "data/b.csv"
    assert places(made) == [[(a, 0), (a, 1)], [(a, 2), (b, 0)], [(b, 1)]]
    assert [shard.name for shard in made.shards] == ["0000", "0001", "0002"]
    assert made.columns == ("a", "b")


def test_a_table_that_ends_where_a_shard_does_is_not_in_the_next(inputs: Inputs) -> None:
    made = cut(inputs({"a.csv": table(2), "b.csv": table(2)}), rows_per_shard=2)

    assert [shard.files for shard in made.shards] == [1, 1]


def test_shards_have_as_many_rows_each_as_can_be(inputs: Inputs) -> None:
    made = cut(inputs({"a.csv": table(10)}), shards=3)

    assert [shard.rows for shard in made.shards] == [3, 3, 4]


def test_more_shards_than_rows_are_as_many_as_rows(inputs: Inputs) -> None:
    made = cut(inputs({"a.csv": table(2)}), shards=5)

    assert [shard.rows for shard in made.shards] == [1, 1]
    assert made.notes == ("only 2 of 5 shards: the input has no more rows",)


@pytest.mark.parametrize("content", [b"a,b\n", b"a,b", b"", b"\xef\xbb\xbf", b"\n\n", b"a,b\n\r\n"])
def test_without_a_row_there_is_one_shard_with_what_there_is(
    content: bytes, inputs: Inputs, tmp_path: Path
) -> None:
    made = cut(inputs({"a.csv": content}), rows_per_shard=10)

    assert [shard.rows for shard in made.shards] == [0]
    assert staged(made.shards[0], tmp_path / "shard") == {"data/a.csv": content}


def test_one_row_is_one_shard(inputs: Inputs, tmp_path: Path) -> None:
    made = cut(inputs({"a.csv": b"a,b\n1,2"}), shards=1)

    assert [shard.rows for shard in made.shards] == [1]
    assert staged(made.shards[0], tmp_path / "shard") == {"data/a.csv": b"a,b\n1,2"}


def test_tables_without_a_row_come_with_each_shard_as_they_are(
    inputs: Inputs, tmp_path: Path
) -> None:
    made = cut(inputs({"a.csv": table(2), "b.csv": b"a,b\n", "c.csv": b""}), rows_per_shard=1)

    assert [shard.rows for shard in made.shards] == [1, 1]
    assert sorted(staged(made.shards[1], tmp_path / "1")) == [
        "data/a.csv",
        "data/b.csv",
        "data/c.csv",
    ]
    assert made.notes == ()


def test_what_is_no_table_comes_with_each_shard(inputs: Inputs, tmp_path: Path) -> None:
    files = inputs({"a.csv": table(2), "schema.json": b"{}", "x/.hidden.csv": b"1,2,3\n"})

    made = cut(files, rows_per_shard=1)

    assert staged(made.shards[1], tmp_path / "1") == {
        "data/a.csv": b"a,b\n1,x\n",
        "data/schema.json": b"{}",
        "data/x/.hidden.csv": b"1,2,3\n",
    }
    assert made.notes == (
        "no tables, so they come with every shard (8 bytes): data/schema.json, data/x/.hidden.csv",
    )


def test_files_are_cut_one_after_the_other(inputs: Inputs, tmp_path: Path) -> None:
    files = inputs({f"{name}.png": name.encode() for name in "abcde"} | {"x/y.csv": table(1)})

    made = cut(files, files_per_shard=2)

    assert made.how == "files"
    names = [[piece.file.name for piece in shard.pieces] for shard in made.shards]
    assert names == [
        ["data/a.png", "data/b.png"],
        ["data/c.png", "data/d.png"],
        ["data/e.png", "data/x/y.csv"],
    ]
    assert staged(made.shards[0], tmp_path / "0") == {"data/a.png": b"a", "data/b.png": b"b"}
    assert (tmp_path / "0/data/x").is_dir()  # as in the whole


def test_a_folder_of_pictures_is_cut_by_files(inputs: Inputs) -> None:
    made = cut(inputs({f"{name}.png": b"p" for name in "abc"}), shards=2)

    assert [shard.weight for shard in made.shards] == [1, 2]
    assert made.rows is None
    assert made.files == 3


def test_more_shards_than_files_are_as_many_as_files(inputs: Inputs) -> None:
    made = cut(inputs({"a.png": b"p"}), shards=2)

    assert len(made.shards) == 1
    assert made.notes == ("only 1 of 2 shards: the input has no more files",)


def test_rows_of_pictures_cannot_be_cut(inputs: Inputs) -> None:
    with pytest.raises(CutError, match=r"no file of the input is a table.*a\.png"):
        cut(inputs({"a.png": b"p"}), rows_per_shard=2)


def test_an_empty_folder_is_no_input(inputs: Inputs) -> None:
    with pytest.raises(CutError, match="there is no file in the input"):
        cut(inputs({}), shards=2)


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        (b"a,b\n1,2\n", b"a,c\n1,2\n", "it lacks b, it has c"),
        (b"a,b\n1,2\n", b"a\n1\n", "it lacks b"),
        (b"a\n1\n", b"a,a\n1,1\n", "it has a"),
        (b"a,b\n1,2\n", b"1.5,2.5\n", "a table without a header"),
        (b"1.5,2.5,3.5\n", b"1.5,2.5\n", "a table without a header"),
        (b"a,b\n1,2\n", b"a,c\n", "it lacks b, it has c"),
    ],
)
def test_tables_with_other_columns_are_not_cut_as_one(
    one: bytes, other: bytes, message: str, inputs: Inputs
) -> None:
    with pytest.raises(CutError) as caught:
        cut(inputs({"one.csv": one, "other.csv": other}), rows_per_shard=2)

    assert message in str(caught.value)
    assert "one.csv" in str(caught.value)
    assert "other.csv" in str(caught.value)


def test_columns_may_be_in_another_order(inputs: Inputs) -> None:
    made = cut(inputs({"1.csv": b"a,b\n1,2\n", "2.csv": b"b,a\n1,2\n"}), rows_per_shard=2)

    assert [shard.rows for shard in made.shards] == [2]


def test_rows_without_a_header_are_all_rows(inputs: Inputs, tmp_path: Path) -> None:
    made = cut(inputs({"a.csv": b"1.5,2\n2.5,3\n"}), rows_per_shard=1)

    assert [shard.rows for shard in made.shards] == [1, 1]
    assert staged(made.shards[1], tmp_path / "1") == {"data/a.csv": b"2.5,3\n"}
    assert made.notes == ("the first row has numbers only, and is taken for no header: data/a.csv",)


@pytest.mark.parametrize("name", ["a.csv.gz", "b.TSV.zst", "c.csv.zip"])
def test_rows_of_compressed_tables_are_not_cut(name: str, inputs: Inputs) -> None:
    files = inputs({"0.csv": table(1), name: b"x"})

    with pytest.raises(CutError, match="is compressed"):
        cut(files, shards=2)
    assert len(cut(files, files_per_shard=1).shards) == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("b.csv.gz", b"x"),
        ("b.csv", b"\x1f\x8b"),
        ("b.csv", "x,y\n".encode("utf-32")),
        ("b.csv", b'id,text\n1,"open\n2,x\n'),
        ("b.csv", b'"open\n2,x\n'),
        ("b.csv", b"id,other\n1,2\n"),
        ("b.parquet", b"x"),
    ],
)
def test_a_file_that_cannot_be_cut_is_named_as_it_is_in_its_source(
    name: str, content: bytes, inputs: Inputs, tmp_path: Path
) -> None:
    files = inputs({"a.csv": b"id,text\n1,2\n", name: content})

    with pytest.raises(CutError) as raised:
        cut(files, shards=2)

    assert f"data/{name}" in raised.value.what
    assert str(tmp_path) not in str(raised.value)  # where it is staged, nobody can mend it


def test_sources_are_cut_in_the_order_in_which_they_are_given(inputs: Inputs) -> None:
    files = inputs({"b.csv": table(1), "a.csv": table(1)}, ["data/b.csv", "data/a.csv"])

    made = cut(files, shards=1)

    assert places(made) == [[("b.csv", 0), ("a.csv", 0)]]


def test_a_link_is_cut_as_what_it_leads_to(inputs: Inputs, tmp_path: Path) -> None:
    inputs({"real.csv": table(2)})
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/a.csv").symlink_to(tmp_path / "data/real.csv")

    made = cut(inputs({}, ["linked"]), rows_per_shard=1)

    assert staged(made.shards[1], tmp_path / "1") == {"linked/a.csv": b"a,b\n1,x\n"}
    assert not (tmp_path / "1/linked/a.csv").is_symlink()


def test_a_hundred_thousand_files_are_few_objects(tmp_path: Path) -> None:
    files = [SourceFile(f"/data/{n}.png", f"data/{n}.png", 1, 1) for n in range(100_000)]

    made = cut(files, files_per_shard=1000)

    assert [shard.files for shard in made.shards] == [1000] * 100
    assert isinstance(made.shards[99].pieces[-1], WholeFile)


def test_a_table_that_changes_between_the_list_and_the_cut_is_refused(inputs: Inputs) -> None:
    files = inputs({"a.csv": table(2)})
    path = Path(files[0].path)
    path.write_bytes(table(3))
    os.utime(path, ns=(1, 1))

    with pytest.raises(StagingError, match=r"a\.csv has changed since"):
        cut(files, shards=2)
