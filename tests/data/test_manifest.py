"""What is remembered of staged files, as it is written and read."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.data import staging
from alo.data.manifest import Manifest, read_glance, read_manifest, write_manifest
from alo.data.staging import Staged
from alo.layout import Workspace

WriteTree = Callable[..., Path]
StagePaths = Callable[..., Staged]

LATE = 2**63  # nanoseconds: in the year 2262
FILES = Manifest(
    {"b": (1, 2, ""), "a/x": (-1, 0, "etag")},
    {"b": (1, LATE, 4), "a/x": (5, 6, 7), "by hand": (8, 9, 10)},
    {"b": "c1", "a/x": "c2", "by hand": "c3"},
)


@pytest.mark.parametrize("manifest", [FILES, FILES.only(["a/x", "b"]), Manifest.empty()])
def test_what_is_written_is_read(tmp_path: Path, manifest: Manifest) -> None:
    write_manifest(tmp_path / "staged.json", manifest)

    assert read_manifest(tmp_path / "staged.json") == manifest


def test_what_an_earlier_version_wrote_is_read(tmp_path: Path) -> None:
    columns = [
        ["b", "a/x", "by hand"],
        ["c1", "c2", "c3"],
        [[1, 5, 8], [LATE, 6, 9], [4, 7, 10]],
        ["b", "a/x"],
        [[1, -1], [2, 0], ["", "etag"]],
    ]
    (tmp_path / "staged.json").write_text(json.dumps(columns))

    assert read_manifest(tmp_path / "staged.json") == FILES


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[1, 2, 3, 4, 5]",
        '[["a"], [], [[1], [2], [3]], ["a"], []]',
        '[["a"], ["c"], [[1], [2]], ["a"], [[1], [2], []]]',
        '[["a"], ["c"], ["AAA", [2], [3]], [], []]',
        '[["a"], ["c"], ["AAAA", [2], [3]], [], []]',
        '[[["a"]], ["c"], [[1], [2], [3]], [], []]',
        '[["a"], ["c"], [[1], [2], [3]], [{}], [[1], [2], [""]]]',
    ],
)
def test_what_is_damaged_is_forgotten(tmp_path: Path, content: str) -> None:
    (tmp_path / "staged.json").write_text(content)

    assert read_manifest(tmp_path / "staged.json") == Manifest.empty()


COPIES = [["a/x", "b", "by hand"], [5, 1, 8], [6, LATE, 9], [7, 4, 10]]
SOURCES = [["a/x", "b"], [-1, 1], [0, 2], ["etag", ""]]


def test_at_a_glance_it_is_known_whether_anything_has_changed(tmp_path: Path) -> None:
    write_manifest(tmp_path / "staged.json", FILES)
    glance = read_glance(tmp_path / "staged.json")

    assert glance.is_of(COPIES, SOURCES)
    assert glance.is_of([tuple(each) for each in COPIES], [tuple(each) for each in SOURCES])
    assert glance.checksums.split() == ["c2", "c1", "c3"]
    assert not glance.is_of(SOURCES, COPIES)
    assert not glance._replace(checksums="c2 c1 c4").is_of(COPIES, SOURCES)


@pytest.mark.parametrize("column", range(8))
@pytest.mark.parametrize("place", [0, 1])
def test_a_change_of_a_single_value_is_known_at_a_glance(
    column: int, place: int, tmp_path: Path
) -> None:
    write_manifest(tmp_path / "staged.json", FILES)
    columns = [list(each) for each in (*COPIES, *SOURCES)]
    value = columns[column][place]
    columns[column][place] = f"{value}x" if isinstance(value, str) else value + 1  # type: ignore[operator]

    assert not read_glance(tmp_path / "staged.json").is_of(columns[:4], columns[4:])


@pytest.mark.parametrize("content", ["", "[1]", "{}", '["", ""]', "[[], []]", '{"a": 1, "b": 2}'])
def test_what_is_damaged_fits_no_files(tmp_path: Path, content: str) -> None:
    (tmp_path / "staged.json").write_text(content)

    assert not read_glance(tmp_path / "staged.json").is_of(COPIES, SOURCES)
    assert not read_glance(tmp_path / "gone.json").is_of([()] * 4, [()] * 4)


def test_that_nothing_has_changed_is_known_without_looking_at_single_files(
    workspace: Workspace,
    write_tree: WriteTree,
    stage_paths: StagePaths,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = write_tree("data", {"x": "1", "deeper/y": "2"})
    (source / "empty").mkdir()
    stage_paths(source)
    (workspace.input("train") / "by hand").write_text("3")
    first = stage_paths(source)
    monkeypatch.setattr(staging, "read_manifest", lambda path: pytest.fail(f"read {path}"))

    assert stage_paths(source) == first
    assert first.foreign == ("by hand",)
    assert sorted(first.files) == ["by hand", "data/deeper/y", "data/x"]


def test_what_an_earlier_version_remembered_is_not_copied_again_and_known_at_a_glance_then(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    source = write_tree("data", {"x": "1", "y": "2"})
    first = stage_paths(source)
    file = workspace.staging_manifest("train")
    whole = file.read_bytes()
    file.write_bytes(whole.partition(b"\n")[2].removesuffix(b"]"))

    assert stage_paths(source) == first._replace(copied=0)
    assert file.read_bytes() == whole
