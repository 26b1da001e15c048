from __future__ import annotations

from pathlib import Path

import pytest

from alo.cli.output.format import duration, short_path, size, whole_seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.00 s"),
        (0.044, "0.04 s"),
        (9.994, "9.99 s"),
        (9.996, "10.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3599.6, "1 h 00 min"),
        (12_000, "3 h 20 min"),
    ],
)
def test_a_duration_has_about_three_digits(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.9, "0 s"), (59.99, "59 s"), (60.5, "1 min 00 s")])
def test_a_clock_shows_whole_seconds(seconds: float, text: str) -> None:
    assert whole_seconds(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1400, "1.4 kB"),
        (9_949, "9.9 kB"),
        (9_960, "10 kB"),
        (999_600, "1.0 MB"),
        (123_456_789, "123 MB"),
        (2.5e9, "2.5 GB"),
        (4e12, "4000.0 GB"),
    ],
)
def test_a_size_has_about_two_digits(count: float, text: str) -> None:
    assert size(count) == text


def test_a_path_below_here_is_reported_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert short_path(str(tmp_path / "a" / "b")) == "a/b"


def test_a_path_elsewhere_is_reported_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    assert short_path(str(tmp_path / "a")) == str(tmp_path / "a")
