"""Names that clients give to files lead nowhere else."""

from __future__ import annotations

import pytest

from alo.serve.file_names import LONGEST, ReservedNameError, checked_file_name


@pytest.mark.parametrize("name", ["a.csv", "..a", "한글.csv", "a b", "x" * LONGEST, "\udcff.csv"])
def test_a_plain_name_is_taken_as_it_is(name: str) -> None:
    assert checked_file_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", " ", ". .", "a/b", "/a", "..\\a", "a\0", "a\n", "\x7f", "\ud800"),
        *("x" * (LONGEST + 1), "한" * (LONGEST // 3 + 1)),
    ],
)
def test_what_leads_elsewhere_or_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ReservedNameError, match="the name of a file"):
        checked_file_name(name)
