"""Cells of spreadsheets run nothing, and give back the texts that they were made of."""

from __future__ import annotations

import pytest

from alo.tables.spreadsheet import disarmed, text_of


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_run_is_a_text(text: str) -> None:
    assert disarmed(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["", "a", "1", " =1", "'", "'quoted'", 1, -1.5, None, True])
def test_other_cells_stay_as_they_are(cell: object) -> None:
    assert disarmed(cell) is cell


@pytest.mark.parametrize("text", ["=1", "'=1", "''=1", "'a", "a", "", "-", "'-"])
def test_each_text_has_a_cell_of_its_own(text: str) -> None:
    assert text_of(str(disarmed(text))) == text
