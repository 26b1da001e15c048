"""Pictures to learn from keep the form of the base: folders, or a table that names labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.datasets.catalog import Catalog, Version, verify
from alo.datasets.make import DatasetRequest, make_version
from alo.datasets.pictures import PictureTable
from alo.datasets.rows import ReviewedRow
from alo.errors import DatasetError
from alo.tables.content import picture_content
from alo.tables.reading import read_table

from .conftest import make_row

Make = Callable[..., Version]
TABLE = PictureTable("labels.csv", "file", "digit")
LABELS = 'site,file,digit\r\nA,img/a.png,1\r\n"B, C",img/b.png,2\r\nD,img/gone.png,3\r\n'


@pytest.fixture
def make(catalog: Catalog) -> Make:
    """``make(rows=[...], base_paths=[...])``: a version of the data set `d`, of pictures."""

    def make_it(**changes: object) -> Version:
        request = DatasetRequest(
            **{"name": "d", "reviews": ["r"], "base": "none", "test_share": 0.0, **changes}  # type: ignore[arg-type]
        )
        return make_version(catalog, request)[0]

    return make_it


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Two pictures with a table of labels, which names a third."""
    base = tmp_path / "base"
    (base / "img").mkdir(parents=True)
    for name in "ab":
        (base / "img" / f"{name}.png").write_bytes(name.encode())
    (base / "labels.csv").write_bytes(LABELS.encode())
    return base


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., ReviewedRow]:
    """``picture("a", "7")``: a reviewed picture of this content, with this label."""

    def make_it(content: str, label: str, number: int = 0) -> ReviewedRow:
        path = tmp_path / f"given/{content}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode())
        of = picture_content(content.encode())
        return make_row(number, label, content=of, picture=path, columns=(), values=())

    return make_it


def names_of(version: Version) -> set[str]:
    return {path.relative_to(version.folder).as_posix() for path in version.folder.rglob("*.png")}


def test_pictures_are_put_where_their_label_says(make: Make, tmp_path: Path) -> None:
    base, given = tmp_path / "pictures", tmp_path / "given"
    for label, name in (("1", "a.png"), ("2", "b.png"), ("1", "c.png")):
        (base / label).mkdir(parents=True, exist_ok=True)
        (base / label / name).write_bytes(name.encode())
    given.mkdir()
    rows = []
    for number, (name, label) in enumerate({"a.png": "7", "new.png": "2"}.items()):
        (given / name).write_bytes(name.encode())
        rows.append(
            make_row(
                number,
                label,
                content=picture_content(name.encode()),
                picture=given / name,
                columns=(),
                values=(),
                source="picked",
            )
        )

    version = make(rows=rows, base_paths=[base])

    names = {path.relative_to(version.folder).as_posix() for path in version.folder.rglob("*.png")}
    new = f"{picture_content(b'new.png')[:12]}-new.png"
    assert names == {
        "train/pictures/7/a.png",
        "train/pictures/2/b.png",
        "train/pictures/1/c.png",
        f"train/pictures/2/{new}",
    }
    assert version.manifest.counts["train"] == {"1": 1, "2": 2, "7": 1}
    assert version.manifest.counts["overruled"] == 1


def test_pictures_that_test_are_beside_their_labels_and_out_of_the_base(
    make: Make, tmp_path: Path
) -> None:
    base = tmp_path / "pictures/1"
    base.mkdir(parents=True)
    (base / "a.png").write_bytes(b"a")
    rows = [
        make_row(
            0, "1", content=picture_content(b"a"), picture=base / "a.png", columns=(), values=()
        )
    ]

    version = make(rows=rows, base_paths=[base.parent], test_share=1.0)

    (picture,) = version.folder.rglob("*.png")
    assert picture.parent.name == "test"
    labels = read_table(version.folder / "test_labels.csv")
    assert (list(labels.columns), list(labels.rows[0])) == (["file", "label"], [picture.name, "1"])


def test_a_table_of_labels_keeps_its_form_and_gets_what_people_said(
    make: Make, labelled: Path, picture: Callable[..., ReviewedRow]
) -> None:
    rows = [picture("a", "7"), picture("new", "2", 1)]

    version = make(rows=rows, base_paths=[labelled], picture_table=TABLE)

    new = f"reviewed/{picture_content(b'new')[:12]}-new.png"
    table = (version.folder / "train/base/labels.csv").read_bytes().decode()
    assert table == LABELS.replace("a.png,1", "a.png,7") + f",{new},2\r\n"
    assert names_of(version) == {f"train/base/{each}" for each in ("img/a.png", "img/b.png", new)}
    counts = version.manifest.counts
    assert (counts["overruled"], counts["pictures_missing"]) == (1, 1)
    assert counts["train"] == {"2": 2, "3": 1, "7": 1}
    assert verify(version) == []


def test_a_labelled_picture_that_tests_is_learned_from_no_more(
    make: Make, labelled: Path, picture: Callable[..., ReviewedRow]
) -> None:
    (labelled / "other").mkdir()
    (labelled / "other/same.png").write_bytes(b"a")  # which the table does not name

    version = make(
        rows=[picture("a", "1")], base_paths=[labelled], picture_table=TABLE, test_share=1.0
    )

    test = f"test/{picture_content(b'a')[:12]}-a.png"
    assert names_of(version) == {"train/base/img/b.png", test}
    assert "a.png" not in (version.folder / "train/base/labels.csv").read_text()
    assert version.manifest.counts["moved_to_test"] == 1


def test_paths_may_begin_where_the_base_does(
    make: Make, labelled: Path, picture: Callable[..., ReviewedRow]
) -> None:
    (labelled / "tables").mkdir()
    (labelled / "labels.csv").rename(labelled / "tables/labels.csv")

    version = make(
        rows=[picture("a", "7"), picture("new", "2", 1)],
        base_paths=[labelled],
        picture_table=PictureTable("tables/labels.csv", "file", "digit"),
    )

    assert version.manifest.counts["overruled"] == 1
    assert any(name.startswith("train/base/reviewed/") for name in names_of(version))


def test_without_a_base_the_table_is_made(make: Make, picture: Callable[..., ReviewedRow]) -> None:
    version = make(rows=[picture("a", "7")], picture_table=TABLE)

    name = f"reviewed/{picture_content(b'a')[:12]}-a.png"
    table = read_table(version.folder / "train/train/labels.csv")
    assert (list(table.columns), [list(row) for row in table.rows]) == (
        ["file", "digit"],
        [[name, "7"]],
    )
    assert names_of(version) == {f"train/train/{name}"}


def test_a_version_is_the_base_of_the_next(
    make: Make, labelled: Path, picture: Callable[..., ReviewedRow]
) -> None:
    first = make(rows=[picture("new", "2")], base_paths=[labelled], picture_table=TABLE)
    base = first.folder / "train/base"
    stray = base / "reviewed" / f"{picture_content(b'more')[:12]}-more.png"
    base.joinpath("reviewed").chmod(0o755)
    stray.write_bytes(b"more")  # which the table does not name

    second = make(
        rows=[picture("new", "7"), picture("more", "8", 1)], base_paths=[base], picture_table=TABLE
    )

    table = read_table(second.folder / "train/base/labels.csv")
    assert [row[2] for row in table.rows] == ["1", "2", "3", "7", "8"]
    assert len(names_of(second)) == 4


@pytest.mark.parametrize(
    ("table", "what"),
    [
        (PictureTable("none.csv", "file", "digit"), "the base has no table 'none.csv'"),
        (PictureTable("../../../outside.csv", "file", "digit"), "the base has no table"),
        (
            PictureTable("labels.csv", "path", "digit"),
            "of the base has no column 'path'",
        ),
        (
            PictureTable("labels.csv", "file", "label"),
            "of the base has no column 'label'",
        ),
    ],
)
def test_a_table_that_is_not_as_it_is_named_is_refused(
    make: Make,
    labelled: Path,
    picture: Callable[..., ReviewedRow],
    table: PictureTable,
    what: str,
    tmp_path: Path,
) -> None:
    (tmp_path / "datasets/d").mkdir(parents=True)
    (tmp_path / "datasets/d/outside.csv").write_bytes(LABELS.encode())
    with pytest.raises(DatasetError, match=what):
        make(rows=[picture("a", "7")], base_paths=[labelled], picture_table=table)


@pytest.mark.parametrize("name", ["../../../../secret", "/etc/hostname", "", "img"])
def test_a_path_that_is_no_picture_of_the_base_is_missing(
    make: Make, labelled: Path, picture: Callable[..., ReviewedRow], name: str
) -> None:
    text = f"file,digit\n{name},1\nimg/b.png,2\n"
    (labelled / "labels.csv").write_text(text)

    version = make(rows=[picture("b", "2")], base_paths=[labelled], picture_table=TABLE)

    assert version.manifest.counts["pictures_missing"] == 1
    assert (version.folder / "train/base/labels.csv").read_text() == text
