from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.cli.values import count, few, megabytes, named, path, port, processes, seconds


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (named, "a b", "a b"),
        (path, "C:/x/s3:/y://z", Path("C:/x/s3:/y://z")),
        (count, "1", 1),
        (processes, "1000", 1000),
        (few, "1000", 1000),
        (port, "0", 0),
        (port, "65535", 65_535),
        (seconds, "0.5", 0.5),
        (megabytes, "1e3", 1000.0),
    ],
)
def test_a_value_is_read(read: Callable[[str], object], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (named, " "),
        *((path, text) for text in ("", "s3://bucket/x.csv", "file:///x", "My+Scheme://x")),
        *(
            (read, text)
            for read in (count, few, processes)
            for text in ("0", "-1", "x", "", "1.5", "²")
        ),
        (processes, "1001"),
        (few, "1001"),
        *((port, text) for text in ("-1", "65536", "http", "")),
        *((read, text) for read in (seconds, megabytes) for text in ("0", "-1", "nan", "inf", "x")),
    ],
)
def test_what_cannot_be_meant_is_refused(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"expected .*, not '|empty"):
        read(text)
