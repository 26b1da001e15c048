"""A few rows of large tables are found without reading them again, and always as they are now."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.layout import Workspace
from alo.loop import joined_cases as module
from alo.loop.joined_cases import JoinedCase, joined_cases
from alo.review.records import RunFiles
from alo.review.settings import ReviewSettings

SETTINGS = ReviewSettings(key="id")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFiles:
    """A run of 100 rows whose tables count as large."""
    monkeypatch.setattr(module, "LARGE", 1)
    files = RunFiles("run", tmp_path / "output", tmp_path / "input")
    for folder, text in (
        ("output", "id,prediction\n" + "".join(f"k{n},good\n" for n in range(100))),
        ("input", "id,x\n" + "".join(f'k{n},"a, {n}"\n' for n in reversed(range(99)))),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "output.csv").write_text(text)
    return files


def test_what_was_kept_is_what_is_read(
    tmp_path: Path, run: RunFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [7, 99, 100, 0]
    read = joined_cases(Workspace(tmp_path), run, SETTINGS, rows)

    monkeypatch.setattr(module, "joined_tables", None)  # nothing is read again
    kept = joined_cases(Workspace(tmp_path), run, SETTINGS, rows)

    assert kept == read
    assert read[7] == JoinedCase(("id", "x"), ["k7", "a, 7"], table="output.csv", row=91, key="k7")
    assert read[99].why == "its 'id' is not in the input"
    assert read[100].why == "its row is gone from the output"


def test_other_tables_are_read_anew(tmp_path: Path, run: RunFiles) -> None:
    joined_cases(Workspace(tmp_path), run, SETTINGS, [0])
    (tmp_path / "input/output.csv").write_text("id,x\nk0,other\n")

    assert joined_cases(Workspace(tmp_path), run, SETTINGS, [0])[0].values == ["k0", "other"]


def test_another_way_of_joining_is_read_anew(tmp_path: Path, run: RunFiles) -> None:
    joined_cases(Workspace(tmp_path), run, SETTINGS, [0])

    found = joined_cases(Workspace(tmp_path), run, ReviewSettings(), [0])

    assert "the output has 100 rows, the input 99" in found[0].why


@pytest.mark.parametrize("content", [b"", b"nonsense" * 100])
def test_a_file_that_is_damaged_or_cannot_be_kept_costs_no_record(
    tmp_path: Path, run: RunFiles, content: bytes
) -> None:
    joined_cases(Workspace(tmp_path), run, SETTINGS, [0])
    (path,) = (tmp_path / ".alo/joined").iterdir()
    path.write_bytes(content)
    expected = ["k0", "a, 0"]

    assert joined_cases(Workspace(tmp_path), run, SETTINGS, [0])[0].values == expected
    path.unlink()
    (tmp_path / ".alo/joined").rmdir()
    (tmp_path / ".alo/joined").write_text("in its way")
    assert joined_cases(Workspace(tmp_path), run, SETTINGS, [0])[0].values == expected


def test_no_more_files_are_kept_than_some(
    tmp_path: Path, run: RunFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 2)

    for number in range(4):
        other = RunFiles(f"run-{number}", run.output, run.input)
        joined_cases(Workspace(tmp_path), other, SETTINGS, [0])

    assert len(list((tmp_path / ".alo/joined").iterdir())) == 2


def test_what_others_have_in_the_folder_is_never_removed(
    tmp_path: Path, run: RunFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 1)
    theirs = tmp_path / ".alo/joined/theirs"
    theirs.mkdir(parents=True)
    (theirs / "file").touch()
    (theirs.parent / "notes.sqlite").touch()

    for number in range(3):
        other = RunFiles(f"run-{number}", run.output, run.input)
        joined_cases(Workspace(tmp_path), other, SETTINGS, [0])

    assert (theirs / "file").exists()
    assert (theirs.parent / "notes.sqlite").exists()
    assert len(list(theirs.parent.iterdir())) == 3


def test_small_tables_are_read_each_time(tmp_path: Path, run: RunFiles) -> None:
    module.LARGE = 1 << 20  # the fixture puts it back

    joined_cases(Workspace(tmp_path), run, SETTINGS, [0])

    assert not (tmp_path / ".alo").exists()
