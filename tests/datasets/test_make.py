"""A version of a data set: complete or absent, the same for the same decisions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alo.datasets import make as module
from alo.datasets.catalog import Catalog, Version, make_writable, verify
from alo.datasets.make import DatasetRequest, contents_that_tested, make_version
from alo.datasets.manifest import Meaning
from alo.errors import DatasetError, UsageError
from alo.layout import Workspace
from alo.tables.reading import read_table

from .conftest import make_row

Make = Callable[..., Version]
MEANING = Meaning(columns=("id", "x"), key="id")
BASE = "id,x,label\n" + "".join(f"b{n},{n},good\n" for n in range(5)) + "k1,1,good\n"


@pytest.fixture
def make(catalog: Catalog) -> Make:
    """``make(rows=[...], base_paths=[...])``: a version of the data set `d`."""

    def make_it(**changes: object) -> Version:
        fields: dict[str, object] = {
            "name": "d",
            "rows": [make_row(n, "bad" if n % 2 else "good") for n in range(20)],
            "reviews": ["r"],
            "base": "none",
            "meaning": MEANING,
            "who": "ada",
        }
        request = DatasetRequest(**{**fields, **changes})  # type: ignore[arg-type]
        return make_version(catalog, request)[0]

    return make_it


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "rows.csv").write_text(BASE)
    (folder / "notes.txt").write_text("as it is")
    return folder


def lines_of(version: Version) -> list[dict[str, object]]:
    return [json.loads(line) for line in (version.folder / "rows.jsonl").read_text().splitlines()]


def test_a_version_adds_to_its_base_corrects_it_and_tests_with_the_rest(
    make: Make, base: Path
) -> None:
    version = make(base_paths=[base], base="data")

    train = read_table(version.folder / "train/data/rows.csv")
    test = read_table(version.folder / "test/test.csv")
    labels = read_table(version.folder / "test_labels.csv")
    lines = lines_of(version)
    keys = {str(line["record"]): line["split"] for line in lines}
    assert [row[:1] for row in train.rows[:5]] == [[f"b{n}"] for n in range(5)]
    assert list(test.columns) == ["id", "x"]
    assert {row[0] for row in test.rows} == {row[0] for row in labels.rows}
    assert len(test.rows) + sum(split == "train" for split in keys.values()) == 20
    learned, tested = {row[0] for row in train.rows}, {row[0] for row in test.rows}
    assert not learned & tested
    assert (version.folder / "train/data/notes.txt").read_text() == "as it is"
    (k1,) = [line for line in lines if line["record"] == "run:1"]
    assert (k1["old"], k1["new"]) == ("good", "bad")
    counts = version.manifest.counts
    assert (counts["overruled"], counts["moved_to_test"]) in ((1, 0), (0, 1))


def test_the_same_decisions_make_the_same_id_and_no_new_version(make: Make, base: Path) -> None:
    rows = [make_row(n) for n in range(9)]
    first = make(rows=rows, base_paths=[base])

    again = make(
        rows=[make_row(n, by="bo", at="later") for n in range(9)],
        base_paths=[base],
        note="other",
        when="later",
    )

    assert again.manifest == first.manifest
    assert [path.name for path in sorted(first.folder.parent.iterdir())] == ["tested.jsonl", "v1"]


def test_other_decisions_make_the_next_version_which_names_its_parent(make: Make) -> None:
    make()

    second = make(rows=[make_row(n) for n in range(3)])

    assert (second.manifest.version, second.manifest.parent) == ("v2", "d@v1")


def test_nothing_of_a_version_can_be_changed_without_meaning_to(make: Make) -> None:
    version = make()

    for path in [version.folder, *version.folder.rglob("*")]:
        assert not path.stat().st_mode & 0o222
    assert verify(version) == []


def test_test_rows_stay_test_rows_also_of_a_version_that_was_removed(
    make: Make, catalog: Catalog, base: Path
) -> None:
    first = make()
    tested = {str(line["content"]) for line in lines_of(first) if line["split"] == "test"}
    assert tested
    catalog.remove(first)

    rows = [make_row(n, source="picked") for n in range(20)]
    second = make(rows=rows)

    assert second.manifest.version == "v2"
    assert not tested & {str(line["content"]) for line in lines_of(second)}
    (why,) = dict(second.manifest.counts["left_out"])  # type: ignore[call-overload]
    assert "tested a version before" in why
    assert contents_that_tested(second.folder.parent) >= tested


def test_a_row_of_the_base_that_tested_is_learned_from_in_no_later_version(
    make: Make, base: Path
) -> None:
    everything = BASE + "".join(f"k{n},{n},good\n" for n in range(2, 20))
    (base / "rows.csv").write_text(everything)
    first = make(base_paths=[base])

    second = make(base_paths=[base], rows=[make_row(0, source="picked")])

    tested = {row[0] for row in read_table(first.folder / "test/test.csv").rows}
    learned = {row[0] for row in read_table(second.folder / "train/data/rows.csv").rows}
    assert tested
    assert not tested & learned


def test_without_a_key_labels_are_named_by_the_row(make: Make) -> None:
    version = make(
        meaning=replace(MEANING, key=""), test_share=1.0, rows=[make_row(n) for n in range(3)]
    )

    rows = read_table(version.folder / "test_labels.csv").rows
    assert [list(row) for row in rows] == [["0", "good"], ["1", "good"], ["2", "good"]]


@pytest.mark.parametrize(
    ("changes", "kind", "what"),
    [
        ({"rows": []}, DatasetError, "no record with a label"),
        ({"name": "a/b"}, UsageError, "no data set can be called"),
        ({"name": ".."}, UsageError, "no data set can be called"),
        ({"meaning": replace(MEANING, label="nope")}, DatasetError,
         "no table of the base has a column 'nope'"),
        ({"meaning": replace(MEANING, columns=("id",)), "test_share": 0.0,
          "rows": [make_row(1, columns=("id",), values=["z"], content="c")]}, DatasetError,
         "no column 'x', which the base has"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused_and_leaves_nothing(
    make: Make, base: Path, catalog: Catalog, changes: dict[str, object], kind: type, what: str
) -> None:
    with pytest.raises(kind, match=what):
        make(base_paths=[base], **changes)

    assert catalog.names() == []
    left = [path for path in catalog.folder.rglob("*") if path.name.startswith(".new")]
    assert left == []


@pytest.mark.parametrize(
    "line", [b"nonsense", b"{}", b"[]", b'{"version": "vx", "contents": []}', b"\xff",
             b'{"version": "v1", "contents": null}'],
)  # fmt: skip
def test_a_damaged_list_of_what_tested_stops_everything(make: Make, line: bytes) -> None:
    version = make()
    ledger = version.folder.parent / "tested.jsonl"
    ledger.write_bytes(line + b"\n" + ledger.read_bytes())

    with pytest.raises(DatasetError, match="is damaged"):
        make(rows=[make_row(1)])


def test_a_line_that_a_kill_has_torn_is_cut_off(make: Make) -> None:
    version = make()
    ledger = version.folder.parent / "tested.jsonl"
    with ledger.open("ab") as file:
        file.write(b'{"version": "v2", "con')

    assert make(rows=[make_row(1)]).manifest.version == "v2"
    assert make(rows=[make_row(2)]).manifest.version == "v3"


KILLED = """
import os, sys
from pathlib import Path
from alo.datasets import make as module
from alo.datasets.catalog import Catalog
from alo.layout import Workspace
from tests.datasets.conftest import make_row
from tests.datasets.test_make import MEANING

place, home = sys.argv[1:]
def end(*_):
    os._exit(9)
setattr(module, place, end)
catalog = Catalog(Workspace(Path(home)))
rows = [make_row(n) for n in range(20)]
module.make_version(
    catalog,
    module.DatasetRequest(name="d", rows=rows, reviews=["r"], base="none", meaning=MEANING),
)
"""


@pytest.mark.parametrize(
    "place", ["_write_test", "write_manifest", "_note_tested", "settle", "make_read_only"]
)
def test_killed_at_any_point_it_leaves_no_half_version_and_the_next_is_made(
    make: Make, catalog: Catalog, tmp_path: Path, place: str
) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, place, str(tmp_path)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert done.returncode == 9
    assert catalog.names() == []

    version = make(rows=[make_row(n) for n in range(20)])

    assert verify(version) == []
    assert not list(version.folder.parent.glob(".new*"))
    assert catalog.versions("d") == [version.manifest.version]


def test_a_base_that_holds_the_data_set_is_refused_before_anything_is_copied(
    make: Make, catalog: Catalog, tmp_path: Path
) -> None:
    for base in (tmp_path, catalog.folder):
        with pytest.raises(DatasetError, match="holds the data set"):
            make(base_paths=[base])

    assert not catalog.folder.exists()


@pytest.mark.parametrize("label", ["a/b", ".", "..", ".hidden", " ", "", "x\0y", "가" * 86])
def test_a_label_that_can_be_no_folder_is_refused(make: Make, tmp_path: Path, label: str) -> None:
    picture = tmp_path / "p.png"
    picture.write_bytes(b"p")
    row = make_row(1, label, picture=picture)

    with pytest.raises(DatasetError, match="cannot be a folder's name"):
        make(rows=[row], meaning=Meaning(), test_share=0.0)


def test_a_value_with_another_end_of_line_in_it_is_one_row(make: Make) -> None:
    row = make_row(1, "bad\u2028\x85")

    assert make(rows=[row], test_share=1.0).manifest.counts["test"] == {"bad\u2028\x85": 1}
    assert make(rows=[make_row(2)]).manifest.version == "v2"


def test_a_label_column_of_measured_numbers_is_told_so(make: Make, tmp_path: Path) -> None:
    base = tmp_path / "base.csv"
    base.write_text("id,x,label\n" + "".join(f"b{n},{n},{n / 7}\n" for n in range(50)))

    with pytest.raises(DatasetError, match="'label' of the base holds measured numbers"):
        make(base_paths=[base])


def test_a_base_that_was_changed_makes_another_version(make: Make, base: Path) -> None:
    first = make(base_paths=[base])
    (path,) = base.rglob("*.csv")
    path.write_bytes(path.read_bytes() + b"b9,9,good\n")

    second = make(base_paths=[base])

    assert (first.manifest.version, second.manifest.version) == ("v1", "v2")
    (frozen,) = (first.folder / "train").rglob("*.csv")
    assert b"b9" not in frozen.read_bytes()


def test_what_tested_is_known_by_the_versions_where_the_list_of_it_is_lost(
    make: Make, catalog: Catalog
) -> None:
    tested = contents_that_tested(make(test_share=0.5).folder.parent)
    (catalog.folder / "d/tested.jsonl").unlink()

    again = make(test_share=0.0)

    lines = [json.loads(line) for line in (again.folder / "rows.jsonl").read_text().splitlines()]
    assert {line["content"] for line in lines if line["split"] == "test"} == tested


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_no_row_that_ever_tested_is_learned_from_in_three_versions(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        catalog, tested = Catalog(Workspace(Path(name))), set()
        (Path(name) / "base.csv").write_text(BASE + "".join(f"k{n},{n},bad\n" for n in range(6)))
        bases: list[Path] = [Path(name) / "base.csv"]
        for _ in range(3):
            numbers = data.draw(st.sets(st.integers(0, 12), min_size=1))
            rows = [
                make_row(
                    number,
                    data.draw(st.sampled_from(["good", "bad"])),
                    source=data.draw(st.sampled_from(["random", "uncertain", "picked"])),
                )
                for number in sorted(numbers)
            ]
            request = DatasetRequest(
                name="d", rows=rows, reviews=["r"], base="b", meaning=MEANING,
                base_paths=[data.draw(st.sampled_from(bases))],
                test_share=data.draw(st.sampled_from([0.0, 0.3, 0.7])),
            )  # fmt: skip
            version, _ = make_version(catalog, request)
            (table,) = (version.folder / "train").rglob("*.csv")
            bases.append(table)
            learned = {",".join(row[:2]) for row in read_table(table).rows}
            tested |= {",".join(row) for row in read_table(version.folder / "test/test.csv").rows}
            assert not learned & tested
            make_writable(version.folder)


@pytest.mark.parametrize("is_file", [False, True])
@pytest.mark.parametrize(
    ("content", "what"),
    [
        (BASE.encode("utf-16"), "is in utf-16"),
        (BASE.replace(",label", ",y,label").encode(), "no column 'y', which the base has"),
        (BASE.replace("b0", "한글").encode("cp949"), "cannot be written in cp949"),
    ],
)
def test_what_is_wrong_with_the_base_names_the_base_and_no_temporary_copy_of_it(
    make: Make, base: Path, is_file: bool, content: bytes, what: str
) -> None:
    (base / "rows.csv").write_bytes(content)
    rows = [make_row(n, "😀") for n in range(20)]

    with pytest.raises(DatasetError, match=what) as reported:
        make(base_paths=[base / "rows.csv" if is_file else base], rows=rows, test_share=0.0)

    assert reported.value.where == str(base / "rows.csv")
    assert ".new" not in str(reported.value)


def test_a_full_disk_is_told_of_the_version_that_was_being_made(
    make: Make, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    make()

    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device", str(folder / "rows.jsonl"))

    monkeypatch.setattr(module, "settle", full)
    with pytest.raises(OSError, match="No space") as reported:
        make(rows=[make_row(99)])

    assert reported.value.filename == str(catalog.folder / "d/v2/rows.jsonl")
