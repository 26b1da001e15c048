"""A few rows of large tables are found without reading them again, and always as they are now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alo.loop import joined_cases as module
from alo.loop.joined_cases import JoinedCase, joined_cases
from alo.loop.kept_lately import KeptLately
from alo.review.results.tables import RunFiles
from alo.review.settings import ReviewSettings

SETTINGS = ReviewSettings(key="id")


@pytest.fixture
def files(tmp_path: Path) -> RunFiles:
    """A run of 100 rows, of which the input has all but the last, in another order."""
    files = RunFiles("run", tmp_path / "output", tmp_path / "input")
    for folder, text in (
        ("output", "id,prediction\n" + "".join(f"k{n},good\n" for n in range(100))),
        ("input", "id,x\n" + "".join(f'k{n},"a, {n}"\n' for n in reversed(range(99)))),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "output.csv").write_text(text)
    return files


def test_each_row_has_its_case_or_says_why_not(files: RunFiles) -> None:
    found = joined_cases(files, SETTINGS, [7, 99, 100])

    case = JoinedCase(("id", "x"), ["k7", "a, 7"], table="output.csv", row=91, key="k7")
    assert found[7] == case
    assert found[99].why == "its 'id' is not in the input"
    assert found[100].why == "its row is gone from the output"


def test_the_same_tables_are_not_read_again(
    files: RunFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = joined_cases(files, SETTINGS, [7])
    monkeypatch.setattr(module, "joined_tables", None)

    assert joined_cases(files, SETTINGS, [7, 8])[7] == read[7]


def test_other_tables_are_read_anew(tmp_path: Path, files: RunFiles) -> None:
    joined_cases(files, SETTINGS, [0])
    (tmp_path / "input/output.csv").write_text("id,x\nk0,other\n")

    assert joined_cases(files, SETTINGS, [0])[0].values == ["k0", "other"]


def test_another_way_of_joining_is_read_anew(files: RunFiles) -> None:
    joined_cases(files, SETTINGS, [0])

    found = joined_cases(files, ReviewSettings(), [0])

    assert "the output has 100 rows, the input 99" in found[0].why


def test_tables_that_are_too_large_to_keep_are_read_each_time(
    files: RunFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, real = [], module.joined_tables
    monkeypatch.setattr(module, "_kept", KeptLately(10))
    monkeypatch.setattr(module, "joined_tables", lambda *given: [read.append(1), real(*given)][1])

    for _ in range(2):
        assert joined_cases(files, SETTINGS, [0])[0].values == ["k0", "a, 0"]

    assert len(read) == 2


def test_the_tables_of_many_runs_are_kept_until_they_are_too_many_bytes(
    files: RunFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, real = [], module.joined_tables
    monkeypatch.setattr(
        module, "joined_tables", lambda one, *given: [read.append(one.id), real(one, *given)][1]
    )
    runs = [replace(files, id=f"run-{number}") for number in range(10)]
    size = sum(path.stat().st_size for path in module.tables_of(files))

    for _ in range(2):
        for each in runs:
            joined_cases(each, SETTINGS, [0])
    assert read == [each.id for each in runs]

    monkeypatch.setattr(module, "_kept", KeptLately(3 * size))
    for each in (*runs[7:], replace(files, id="another")):
        joined_cases(each, SETTINGS, [0])
    read.clear()
    for each in (runs[9], runs[8], runs[7]):
        joined_cases(each, SETTINGS, [0])
    assert read == ["run-7"]
