"""What is remembered of staged files, as it is written and read."""

import json
from pathlib import Path

import pytest

from alo.data.manifest import Manifest, read_manifest, write_manifest

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
