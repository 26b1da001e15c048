"""What is mounted in a folder is found, whatever it is called, and whether it shares its locks."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from alo import mounts
from alo.files import (
    empty_folder,
    merge_folder,
    move_aside,
    remove_tree,
    rename_folder,
    return_half,
)
from alo.mounts import mount_point, mounted_in

Mount = Callable[..., Path]
PutVolume = Callable[[Path], Path]
NAMES = ("plain", "with space", "tab\there", "line\nbreak", "back\\slash", "\\040", "한글 #1", "#")


@pytest.mark.parametrize("name", NAMES)
def test_a_mount_is_found_by_any_name(name: str, tmp_path: Path, put_volume: PutVolume) -> None:
    point = put_volume(tmp_path / "folder" / name)

    assert mounted_in(tmp_path / "folder") == [str(point)]
    assert mounted_in(point) == [str(point)]
    assert mount_point(point / "below/it") == str(point)


def test_what_is_mounted_beside_a_folder_is_not_in_it(
    tmp_path: Path, put_volume: PutVolume
) -> None:
    put_volume(tmp_path / "folder-2")
    (tmp_path / "folder").mkdir()

    assert mounted_in(tmp_path / "folder") == []
    assert mount_point(tmp_path / "folder") == mount_point(tmp_path)


def test_a_mount_is_found_through_a_link_to_its_folder(
    tmp_path: Path, put_volume: PutVolume
) -> None:
    point = put_volume(tmp_path / "folder/volume")
    (tmp_path / "link").symlink_to("folder")

    assert mounted_in(tmp_path / "link") == [str(point)]


def test_without_the_list_of_mounts_another_disk_is_found_all_the_same(
    tmp_path: Path, mount: Mount, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = mount(tmp_path / "folder/volume", "-t", "tmpfs", "tmpfs")
    monkeypatch.setattr(mounts, "MOUNTS", str(tmp_path / "no such file"))

    assert mounted_in(tmp_path / "folder") == [str(point)]
    assert mount_point(point / "x") == str(point)


@pytest.mark.parametrize("remove", [remove_tree, empty_folder])
def test_no_volume_is_emptied_and_nothing_beside_it_removed(
    remove: Callable[[Path], None], tmp_path: Path, put_volume: PutVolume
) -> None:
    point = put_volume(tmp_path / "folder/deep/volume")
    (tmp_path / "folder/ours").write_text("ours")

    with pytest.raises(OSError, match="volume is mounted") as caught:
        remove(tmp_path / "folder")

    assert caught.value.filename == str(point)
    assert (point / "theirs").read_text() == "theirs"
    assert (tmp_path / "folder/ours").read_text() == "ours"


def test_the_content_of_a_volume_of_ours_can_be_removed(
    tmp_path: Path, put_volume: PutVolume
) -> None:
    point = put_volume(tmp_path / "volume")
    (point / "sub").mkdir()

    empty_folder(point)

    assert os.listdir(point) == []


@pytest.fixture
def image(tmp_path: Path, mount: Mount) -> Path:
    """A file system as a container has it: what was in its image cannot be renamed as a folder."""
    for name in ("image", "upper", "work"):
        (tmp_path / name).mkdir()
    (tmp_path / "image/folder/deep").mkdir(parents=True)
    (tmp_path / "image/folder/deep/file").write_text("of the image")
    (tmp_path / "image/folder/empty").mkdir()
    (tmp_path / "image/folder/link").symlink_to("deep/file")
    layers = f"lowerdir={tmp_path}/image,upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    return mount(tmp_path / "merged", "-t", "overlay", "overlay", "-o", layers)


def test_a_folder_of_an_image_is_moved_whole(image: Path) -> None:
    rename_folder(image / "folder", image / "moved")

    assert not (image / "folder").exists()
    assert (image / "moved/deep/file").read_text() == "of the image"
    assert (image / "moved/empty").is_dir()
    assert os.readlink(image / "moved/link") == "deep/file"


def test_what_was_moved_half_can_be_merged_back(image: Path) -> None:
    (image / "half/deep").mkdir(parents=True)
    os.rename(image / "folder/deep/file", image / "half/deep/file")

    merge_folder(image / "half", image / "folder")

    assert not (image / "half").exists()
    assert (image / "folder/deep/file").read_text() == "of the image"
    assert (image / "folder/empty").is_dir()


@pytest.mark.parametrize("moves", range(8))
def test_a_folder_of_an_image_that_was_moved_half_is_put_back_whole(
    moves: int, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Nothing after it is done."""

    done = []

    def dying(change: Callable[..., None]) -> Callable[..., None]:
        def change_or_die(*paths: object) -> None:
            if len(done) == moves:
                raise Killed
            change(*paths)
            done.append(paths)

        return change_or_die

    with monkeypatch.context() as patched, suppress(Killed):
        for name in ("replace", "rmdir", "mkdir"):
            patched.setattr(os, name, dying(getattr(os, name)))
        move_aside(image / "folder", image / "aside")
    is_aside = (image / "aside").exists()

    return_half(image / "aside", image / "folder")

    place = image / "aside" if is_aside else image / "folder"
    assert (place / "deep/file").read_text() == "of the image"
    assert (place / "empty").is_dir()
    assert os.readlink(place / "link") == "deep/file"
    assert {path.name for path in image.iterdir()} == {place.name}


MOUNTINFO = """\
25 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
80 25 0:50 / /nfs rw,relatime shared:2 - nfs4 server:/home rw,vers=4.2,local_lock=none
81 25 0:51 / /old rw,relatime - nfs server:/home rw,vers=3,local_lock=all
82 25 0:52 / /with\\040space rw - fuse.sshfs me@there: rw,user_id=0
83 25 0:53 / /win rw,nosuid shared:9 master:1 - cifs //server/x rw,nobrl
84 25 0:54 / /win2 rw - cifs //server/x rw
85 25 0:55 / /boxes rw - fuse.fuse-overlayfs fuse-overlayfs rw
86 25 0:56 / /gluster rw - fuse.glusterfs server:/vol rw
87 25 0:57 / /virt rw - virtiofs share rw
88 25 0:58 / /over rw - overlay overlay rw,lowerdir=/a
damaged line
"""


@pytest.mark.parametrize(
    ("number", "is_network", "shares_locks"),
    [
        (50, True, True),
        (51, True, False),
        (52, True, False),
        (53, True, False),
        (54, True, True),
        (55, True, True),
        (56, True, True),
        (57, True, False),
        (58, False, True),
        (99, False, True),  # not listed, as subvolumes of Btrfs are not
    ],
)
def test_file_systems_and_their_locks(
    number: int,
    is_network: bool,
    shares_locks: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "mountinfo").write_text(MOUNTINFO)
    monkeypatch.setattr(mounts, "MOUNTS", str(tmp_path / "mountinfo"))

    mount = mounts._find(f"0:{number}")

    assert (mount.is_network, mount.shares_locks) == (is_network, shares_locks)


def test_where_nothing_tells_the_disk_is_a_local_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "MOUNTS", str(tmp_path / "not there"))

    assert mounts._find("0:50") == mounts.LOCAL
    assert mounts.mount_of(tmp_path).shares_locks
