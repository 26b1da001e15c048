from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.errors import StoreError
from alo.store.blobs import UNFINISHED, BlobDir, remove_runs, sweep


@pytest.fixture
def blob_dir(root: Path) -> Callable[[str], BlobDir]:
    def make(run: str) -> BlobDir:
        found = BlobDir(root, root / "train" / run)
        found.prepare()
        return found

    return make


def put(blob_dir: BlobDir, name: str, content: bytes) -> None:
    with blob_dir.draft("it") as draft:
        draft.append(content)
        blob_dir.put(draft, name)


def test_a_blob_of_another_run_is_shared(blob_dir: Callable[[str], BlobDir]) -> None:
    put(blob_dir("one"), "blob", b"content")

    assert blob_dir("two").take("blob", 7)
    assert blob_dir("two").path("blob").samefile(blob_dir("one").path("blob"))


def test_what_no_one_has_cannot_be_taken(blob_dir: Callable[[str], BlobDir]) -> None:
    assert not blob_dir("one").take("blob", 7)


def test_a_blob_that_lost_its_end_is_not_taken(blob_dir: Callable[[str], BlobDir]) -> None:
    put(blob_dir("one"), "blob", b"")

    assert not blob_dir("one").take("blob", 7)
    assert not blob_dir("two").take("blob", 7)


def test_a_better_blob_takes_the_place_of_a_bad_one(blob_dir: Callable[[str], BlobDir]) -> None:
    put(blob_dir("one"), "blob", b"")
    put(blob_dir("two"), "blob", b"content")

    assert blob_dir("three").take("blob", 7)


def test_blobs_are_read_only(blob_dir: Callable[[str], BlobDir]) -> None:
    put(blob_dir("one"), "blob", b"content")

    assert blob_dir("one").path("blob").stat().st_mode & 0o777 == 0o444


def test_a_blob_stays_as_long_as_a_run_has_it(
    root: Path, blob_dir: Callable[[str], BlobDir], blobs: Callable[[], set[str]]
) -> None:
    put(blob_dir("one"), "shared", b"content")
    put(blob_dir("one"), "alone", b"content")
    blob_dir("two").take("shared", 7)

    remove_runs(root, [root / "train" / "one"])
    after_one = blobs()
    can_be_shared = blob_dir("three").take("shared", 7)
    remove_runs(root, [root / "train" / "two", root / "train" / "three"])

    assert after_one == {"shared"}
    assert can_be_shared
    assert blobs() == set()
    assert list((root / UNFINISHED).iterdir()) == []


def test_removing_what_is_not_there_is_no_error(root: Path) -> None:
    remove_runs(root, [root / "train" / "one"])


def test_without_hard_links_each_run_has_its_own(
    root: Path, blob_dir: Callable[[str], BlobDir], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    put(blob_dir("one"), "blob", b"content")
    two = BlobDir(root, root / "train" / "two", blob_dir("one").folder)
    two.prepare()

    assert two.take("blob", 7)
    remove_runs(root, [root / "train" / "one"])
    assert two.path("blob").read_bytes() == b"content"


def test_a_draft_that_is_not_published_is_gone(
    root: Path, blob_dir: Callable[[str], BlobDir]
) -> None:
    with blob_dir("one").draft("it") as draft:
        draft.append(b"content")

    assert list((root / UNFINISHED).iterdir()) == []


def test_a_draft_in_use_is_not_swept_and_a_leftover_is(
    root: Path, blob_dir: Callable[[str], BlobDir]
) -> None:
    with blob_dir("one").draft("it") as draft:
        draft.append(b"content")
        [in_use] = (root / UNFINISHED).iterdir()
        in_use.with_name(".draft.1-2.alo-tmp").write_bytes(b"left by a killed process")
        (root / UNFINISHED / ".run.1-2.alo-tmp").mkdir()

        sweep(root)

        assert list((root / UNFINISHED).iterdir()) == [in_use]


def test_a_full_disk_says_what_needs_how_much(
    blob_dir: Callable[[str], BlobDir], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with blob_dir("one").draft("data['frame'] of step 'input'") as draft:
        draft.needed = 1_500_000_000

        with pytest.raises(StoreError) as caught:
            draft.append(b"content")

    message = str(caught.value)
    assert "storing data['frame'] of step 'input' needs 1,500.0 MB" in message
    assert "MB are free" in message


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StoreError, match="cannot be stored: Not a directory"):
        BlobDir(tmp_path / "file", tmp_path / "file" / "run").prepare()
