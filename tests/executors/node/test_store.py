"""What slots of a machine share: each folder is sent once, and what is unused goes first."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from alo.errors import ExecutorError
from alo.executors.node.parcel import Parcel
from alo.executors.node.store import NodeStore, node_folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "node"


def parcel_of(tmp_path: Path, name: str, size: int = 1000) -> Parcel:
    folder = tmp_path / f"sent-{name}"
    folder.mkdir()
    (folder / name).write_bytes(name.encode() * size)
    return Parcel.of_folder(folder)


def send(store: NodeStore, parcel: Parcel, count: int = 400) -> None:
    for offset in range(0, parcel.size, count):
        store.put(parcel.digest, offset, parcel.piece(offset, count), parcel.size)


def test_a_folder_is_missing_until_all_of_it_has_come(root: Path, tmp_path: Path) -> None:
    store, parcel = NodeStore(root), parcel_of(tmp_path, "a")
    assert store.folder(parcel.digest) is None
    assert store.missing(parcel.digest)
    send(store, parcel)
    assert not store.missing(parcel.digest)
    found = store.folder(parcel.digest)
    assert found is not None
    assert (found / "a").read_bytes() == b"a" * 1000
    assert not NodeStore(root).missing(parcel.digest)


def test_one_slot_is_sent_a_folder_and_the_others_wait_for_it(root: Path, tmp_path: Path) -> None:
    one, other, parcel = NodeStore(root), NodeStore(root), parcel_of(tmp_path, "a")
    assert (one.missing(parcel.digest), other.missing(parcel.digest)) == (True, False)
    found: list[Path | None] = []
    waits = threading.Thread(target=lambda: found.append(other.folder(parcel.digest)))
    waits.start()
    send(one, parcel)
    waits.join(30)
    assert found == [root / "folders" / parcel.digest]


def test_who_is_sent_a_folder_and_ends_leaves_it_to_others(root: Path, tmp_path: Path) -> None:
    one, other, parcel = NodeStore(root), NodeStore(root), parcel_of(tmp_path, "a")
    assert one.missing(parcel.digest)
    one.put(parcel.digest, 0, parcel.piece(0, 100), parcel.size)
    one.keep_only(())
    assert other.missing(parcel.digest)
    send(other, parcel)
    assert other.folder(parcel.digest) is not None


def test_the_oldest_that_nobody_uses_goes(root: Path, tmp_path: Path) -> None:
    store, user = NodeStore(root, 4000), NodeStore(root, 4000)
    sent = [parcel_of(tmp_path, name) for name in "abc"]
    for age, parcel in enumerate(sent):
        store.missing(parcel.digest)
        send(store, parcel)
        os.utime(root / "locks" / parcel.digest, (age, age))
    store.keep_only(())
    assert user.folder(sent[0].digest) is not None
    os.utime(root / "locks" / sent[0].digest, (0, 0))
    more = parcel_of(tmp_path, "d")
    store.missing(more.digest)

    send(store, more)

    here = set(os.listdir(root / "folders"))
    assert here == {sent[0].digest, sent[2].digest, more.digest}


def test_a_damaged_piece_is_refused_and_nothing_is_left(root: Path, tmp_path: Path) -> None:
    store, parcel = NodeStore(root), parcel_of(tmp_path, "a")
    store.missing(parcel.digest)
    content = parcel.piece(0, parcel.size)
    with pytest.raises(ExecutorError, match="another checksum"):
        store.put(parcel.digest, 0, content[:-1] + b"x", parcel.size)
    assert os.listdir(root / "incoming") == []
    assert store.missing(parcel.digest)


def test_a_full_disk_is_told_as_such(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, parcel = NodeStore(root), parcel_of(tmp_path, "a")
    store.missing(parcel.digest)

    def full(*given: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("alo.executors.node.parcel.os.write", full)
    with pytest.raises(ExecutorError, match="cannot keep what it is sent: No space") as raised:
        send(store, parcel)
    assert "free" in raised.value.fix


def test_what_nobody_uses_goes_where_the_disk_has_no_room_for_more(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, old, new = NodeStore(root), parcel_of(tmp_path, "a"), parcel_of(tmp_path, "b")
    store.missing(old.digest)
    send(store, old)
    store.keep_only(())
    monkeypatch.setattr("alo.executors.node.store.free_bytes", lambda folder: 500)

    store.missing(new.digest)
    send(store, new)

    assert os.listdir(root / "folders") == [new.digest]


def test_the_scratch_of_a_slot_that_was_killed_goes(root: Path) -> None:
    store = NodeStore(root)
    (root / "scratch/left").mkdir()

    one, lock = store.scratch()
    other, other_lock = store.scratch()

    assert set((root / "scratch").iterdir()) == {one, other}
    os.close(lock)
    os.close(other_lock)


@pytest.mark.parametrize("digest", ["../x", "", "A" * 32])
def test_what_is_no_digest_names_no_file(root: Path, digest: str) -> None:
    with pytest.raises(ExecutorError, match="is no digest"):
        NodeStore(root).missing(digest)


def test_where_it_is_may_be_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALO_NODE_DIR", str(tmp_path))
    assert node_folder() == tmp_path
    monkeypatch.delenv("ALO_NODE_DIR")
    assert node_folder() == Path.home() / ".cache/alo/node"
