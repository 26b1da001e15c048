"""What a review copies is whole, whatever ends the copying, and is what was given before."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.errors import ReviewError
from alo.layout import Workspace
from alo.review.results.inputs import RecordInput
from alo.review.results.kept_inputs import KeptInputs
from alo.review.rows import Review

WRITE = """
import os, sys
from pathlib import Path
import alo.review.results.kept_inputs as module
from tests.review.results.test_kept_inputs import kept, pictures

home, point = Path(sys.argv[1]), sys.argv[2]
holder, name = (Path, "rename") if point == "rename" else (module, point)
calls = []

def die(*_, **__):
    calls.append(1)
    if len(calls) == 2 or point in ("write_whole", "settle"):
        os.kill(os.getpid(), 9)
    return real(*_, **__)

real = getattr(holder, name)
setattr(holder, name, die)
kept(home).write(pictures(home, 4))
"""


def review(created: str = "now") -> Review:
    return Review(
        number=1, name="r", state="open", person="ada", created=created, asked={}, runs=[]
    )


def kept(home: Path, created: str = "now") -> KeptInputs:
    return KeptInputs(Workspace(home), review(created))


def pictures(home: Path, count: int) -> list[RecordInput]:
    (home / "given").mkdir(exist_ok=True)
    for number in range(count):
        (home / f"given/{number}.png").write_bytes(b"%d" % number)
    return [
        RecordInput(record=f"run:{number}", picture=home / f"given/{number}.png", key=f"k{number}")
        for number in range(count)
    ]


ROW = RecordInput(
    record="run-ü:1", columns=("a", "b"), values=["1", "é, \n"], table="in/x.csv", row=7,
    key="k", model="m",
)  # fmt: skip


def test_what_was_copied_is_what_is_read(tmp_path: Path) -> None:
    given = pictures(tmp_path, 2)
    request = RecordInput(
        record="whole",
        files={"a/0.png": tmp_path / "given/0.png", "1.png": given[1].picture or Path()},
    )

    kept(tmp_path).write([ROW, *given, request, RecordInput(record="x:1", why="it is gone")])
    found = kept(tmp_path).read([ROW.record, "run:1", "whole", "x:1", "run:9"])

    assert list(found) == [ROW.record, "run:1", "whole"]
    assert found[ROW.record] == ROW
    picture = found["run:1"].picture
    assert picture is not None
    assert (picture.name, picture.read_bytes()) == ("1.png", b"1")
    files = {name: path.read_bytes() for name, path in found["whole"].files.items()}
    assert files == {"a/0.png": b"0", "1.png": b"1"}


def test_what_is_written_again_may_be_what_was_copied_and_the_rest_goes(tmp_path: Path) -> None:
    kept(tmp_path).write(pictures(tmp_path, 3))
    own = kept(tmp_path).read(["run:1"])
    for path in (tmp_path / "given").iterdir():
        path.unlink()

    kept(tmp_path).write(list(own.values()))

    assert kept(tmp_path).read(["run:0", "run:1"]) == own
    assert len(list((tmp_path / "studio/reviews/r/files").iterdir())) == 1


def test_a_picture_that_goes_meanwhile_takes_no_other_with_it(tmp_path: Path) -> None:
    given = pictures(tmp_path, 2)
    (tmp_path / "given/0.png").unlink()

    kept(tmp_path).write(given)

    assert list(kept(tmp_path).read(["run:0", "run:1"])) == ["run:1"]


def test_those_of_an_earlier_review_of_that_name_are_none(tmp_path: Path) -> None:
    kept(tmp_path, "before").write([ROW])

    assert kept(tmp_path).read([ROW.record]) == {}
    kept(tmp_path).remove()
    kept(tmp_path).remove()
    assert not (tmp_path / "studio/reviews/r").exists()


def test_a_copy_that_is_missing_is_said(tmp_path: Path) -> None:
    kept(tmp_path).write(pictures(tmp_path, 1))
    (file,) = (tmp_path / "studio/reviews/r/files").glob("*/*")
    file.unlink()

    assert "the copy of 0.png is missing" in kept(tmp_path).read(["run:0"])["run:0"].why


@pytest.mark.parametrize("content", [b"nonsense\n", b"\xff\xfe"])
def test_damage_is_an_error_in_words(tmp_path: Path, content: bytes) -> None:
    kept(tmp_path).write([ROW])
    (tmp_path / "studio/reviews/r/inputs.jsonl").write_bytes(content)

    with pytest.raises(ReviewError, match="cannot be read"):
        kept(tmp_path).read([ROW.record])


@pytest.mark.parametrize("point", ["clone_or_copy", "rename", "settle", "write_whole"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_kill_leaves_what_was_copied_before(tmp_path: Path, point: str, is_first: bool) -> None:
    before = [] if is_first else pictures(tmp_path, 1)
    if before:
        kept(tmp_path).write(before)

    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", WRITE, str(tmp_path), point]
    done = subprocess.run(command, check=False, cwd=root)

    assert done.returncode == -signal.SIGKILL
    wanted = [f"run:{number}" for number in range(4)]
    assert list(kept(tmp_path).read(wanted)) == wanted[: len(before)]
    assert all(not each.why for each in kept(tmp_path).read(wanted).values())
    kept(tmp_path).write(pictures(tmp_path, 4))
    assert list(kept(tmp_path).read(wanted)) == wanted
    assert len(list((tmp_path / "studio/reviews/r/files").iterdir())) == 4


def test_a_full_disk_leaves_what_was_copied_before(
    tmp_path: Path, small_disk: Callable[..., Path]
) -> None:
    disk = small_disk(2)
    small = pictures(tmp_path, 1)
    kept(disk).write(small)
    (tmp_path / "given/large.png").write_bytes(bytes(3_000_000))
    large = RecordInput(record="run:9", picture=tmp_path / "given/large.png")

    with pytest.raises(OSError, match="No space left"):
        kept(disk).write([*small, large])

    assert list(kept(disk).read(["run:0", "run:9"])) == ["run:0"]
    kept(disk).write(small)
    assert len(list((disk / "studio/reviews/r/files").iterdir())) == 1


def test_what_cannot_be_copied_is_named_by_where_it_was_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr("alo.review.results.kept_inputs.clone_or_copy", full)
    with pytest.raises(OSError, match="No space") as reported:
        kept(tmp_path).write(pictures(tmp_path, 1))

    assert "studio/reviews/r/files/" in str(reported.value)
    assert ".new" not in str(reported.value)
