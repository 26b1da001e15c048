"""What a request has left is read as it is, and small files go with the answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.errors import ResultError
from alo.workers.results import SMALL_OUTPUT, read_results


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    for name in ("score", "output"):
        (tmp_path / name).mkdir()
    (tmp_path / "score/inference_summary.yaml").write_text("result: fine\nscore: 0.5\n")
    return tmp_path


@pytest.mark.parametrize(
    ("sizes", "are_small"),
    [
        ([0], True),
        ([SMALL_OUTPUT], True),
        ([SMALL_OUTPUT + 1], False),
        ([SMALL_OUTPUT, 0], True),
        ([SMALL_OUTPUT, 1], False),
        ([1_000_000], False),
    ],
    ids=str,
)
def test_files_that_are_small_together_are_in_it(
    artifacts: Path, sizes: list[int], are_small: bool
) -> None:
    contents = {f"{number}.csv": b"x" * size for number, size in enumerate(sizes)}
    for name, content in contents.items():
        (artifacts / "output" / name).write_bytes(content)

    summary = read_results(artifacts, list(contents), with_contents=True)

    assert summary.content == {"result": "fine", "score": 0.5}
    assert summary.outputs == tuple(str(artifacts / "output" / name) for name in contents)
    assert summary.contents == (contents if are_small else None)


def test_who_does_not_want_the_files_is_not_sent_them(artifacts: Path) -> None:
    (artifacts / "output/a.csv").write_bytes(b"a")

    assert read_results(artifacts, ["a.csv"], with_contents=False).contents is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [("- a", "is not a mapping"), ("a: [", "cannot be read"), ("", "is not a mapping")],
)
def test_a_summary_that_is_none_is_refused(artifacts: Path, text: str, reason: str) -> None:
    (artifacts / "score/inference_summary.yaml").write_text(text)

    with pytest.raises(ResultError, match=reason):
        read_results(artifacts, [], with_contents=True)


def test_a_summary_of_any_length_is_read_to_its_end(artifacts: Path) -> None:
    (artifacts / "score/inference_summary.yaml").write_text(f"result: {'x' * 200_000}\n")

    summary = read_results(artifacts, [], with_contents=True)

    assert summary.content == {"result": "x" * 200_000}
