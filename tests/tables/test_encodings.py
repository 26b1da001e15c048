"""The encoding of a file is found by its first bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.tables.encodings import SAMPLE, Encoding, encoding_of


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", Encoding("utf-8")),
        ("가나다,1".encode(), Encoding("utf-8")),
        ("가나다,1".encode("utf-8-sig"), Encoding("utf-8", 3)),
        ("가나다,1\n".encode("cp949"), Encoding("cp949")),
        ("a,b\n1,2".encode("utf-16"), Encoding("utf-16-le", 2)),
        ("a,b\n1,2".encode("utf-16-le"), Encoding("utf-16-le")),
        ("a,b\n1,2".encode("utf-16-be"), Encoding("utf-16-be")),
        (b"a\xff\xff\n", Encoding("latin-1")),
        (("가" * SAMPLE).encode(), Encoding("utf-8")),  # cut in the middle of a character
    ],
)
def test_it_is_found(tmp_path: Path, content: bytes, expected: Encoding) -> None:
    (tmp_path / "file").write_bytes(content)

    assert encoding_of(tmp_path / "file") == expected
