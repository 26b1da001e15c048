"""Whether rows are answered each by itself, also where some of them make every run fail."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.cli.main import main

# Answers rows by themselves, but for `count`; a row that is `bad` fails the run, or has no output.
ANSWER = """
import csv
from pathlib import Path
(path,) = Path(self.asset.get_input_path()).rglob("*.csv")
with open(path, newline="") as file:
    rows = list(csv.DictReader(file))
how = self.args["how"]
has_bad = any(row["y"] == "bad" for row in rows)
if has_bad and how not in ("drops", "renames"):
    raise ValueError("a bad row")
of = len(rows) if how == "counts" else 1
lines = "".join(f"{row['x']},{of}\\n" for row in rows if row["y"] != "bad" or how == "renames")
encoding = "utf-16" if how == "utf-16" else "utf-8"
Path(self.asset.get_output_path(), "output.csv").write_text(
    ("x,other\\n" if has_bad and how == "renames" else "x,of\\n") + lines, encoding
)
self.asset.save_summary("ok", 0.5)
"""
ROWS = 12


@pytest.fixture
def infer(
    make_solution: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Answer rows of which some are bad; the exit status, and what was written."""

    def call(how: str, bad: tuple[int, ...], *words: str) -> tuple[int, str, str]:
        with (tmp_path / "rows.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["x", "y"])
            table.writerows([row, "bad" if row in bad else "good"] for row in range(ROWS))
        home = make_solution(
            {},
            {"answer": ANSWER},
            args={"answer": {"how": how}},
            external={"load_inference_data_path": str(tmp_path / "rows.csv")},
        )
        asked = ["infer", "b", "--shards", "2", "--jobs", "1", *words, "--project", str(home)]
        status = main(asked)
        written = capsys.readouterr()
        return status, written.out, written.err

    return call


def failed_rows(tmp_path: Path) -> list[str]:
    path = tmp_path / "project/inference_artifacts/extra_output/alo/failed_rows.csv"
    with open(path, newline="") as file:
        return [row["x"] for row in csv.DictReader(file)]


Infer = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize("bad", [(0,), (5,), (0, 7, 11)])
def test_bad_rows_are_left_out_of_the_check(
    infer: Infer, tmp_path: Path, bad: tuple[int, ...]
) -> None:
    status, out, err = infer("fails", bad, "--on-error", "bisect")
    assert status == 0, out + err
    assert failed_rows(tmp_path) == [str(row) for row in bad]
    assert "rows alone, as others fail: step 'answer' failed: ValueError: a bad row" in out + err


def test_a_row_without_an_output_is_named_by_bisect(infer: Infer, tmp_path: Path) -> None:
    status, out, err = infer("drops", (5,), "--on-error", "bisect")
    assert status == 0, out + err
    assert failed_rows(tmp_path) == ["5"]


def test_the_columns_of_the_checked_rows_are_those_that_shards_have_to_have(infer: Infer) -> None:
    status, out, err = infer("renames", (2,), "--row-check", "3", "--on-error", "skip")
    assert status == 1
    assert "columns than that of the rows that were checked: x,other; x,of" in out + err
    assert "1 of 2 shards" in out + err


def test_without_leave_a_row_without_an_output_is_a_difference(infer: Infer) -> None:
    status, _, err = infer("drops", (5,))
    assert (status, "the output has 11 rows for 12 of the input" in err) == (1, True)


def test_a_bad_row_hides_no_rows_that_depend_on_each_other(infer: Infer) -> None:
    status, _, err = infer("counts", (0,), "--on-error", "bisect")
    assert (status, "does not answer each row by itself" in err) == (1, True)


def test_where_all_rows_fail_nothing_is_checked(infer: Infer) -> None:
    every = tuple(range(ROWS))
    status, out, err = infer("fails", every, "--on-error", "bisect")
    assert status == 1
    assert "each by itself: not checked, as others fail" in out + err
    assert err.count("  fix: ") == 1
    assert err.count("  where: ") <= 1


def test_with_stop_the_error_says_how_to_go_on_once(infer: Infer) -> None:
    status, _, err = infer("fails", (5,))
    assert (status, "--on-error bisect" in err) == (1, True)
    assert err.count("  fix: ") == 1


@pytest.mark.parametrize("words", [[], ["--on-error", "skip"], ["--row-check", "off"]])
def test_tables_that_cannot_be_joined_are_refused_with_what_to_do(
    infer: Infer, words: list[str]
) -> None:
    status, _, err = infer("utf-16", (), *words)
    assert (status, "a table in UTF-16-LE cannot be joined with others" in err) == (1, True)
    assert "have the asset write UTF-8" in err
    assert "where: output/output.csv" in err
    assert err.count("  fix: ") == 1
