"""Data is staged as the source has it, and what is there already is not copied again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alo.data import staging
from alo.data.locations import list_sources
from alo.data.staging import Staged, bytes_to_copy, stage, stage_content, use_what_is_there
from alo.files import checksum
from alo.layout import Workspace

WriteTree = Callable[..., Path]
StagePaths = Callable[..., Staged]


def read_tree(root: Path) -> dict[str, bytes]:
    """Every file below a folder, by its name from there."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_what_is_in_memory_is_staged_as_files_would_be(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    of_files = stage_paths(write_tree("a/data", {"x.csv": "1", "deep/y.csv": "22"}))

    staged = stage_content(workspace, "inference", {"data/x.csv": b"1", "data/deep/y.csv": b"22"})

    assert read_tree(workspace.input("inference")) == read_tree(workspace.input("train"))
    assert (staged.data_id, staged.size) == (of_files.data_id, of_files.size)


def test_what_is_in_memory_replaces_no_file(workspace: Workspace) -> None:
    stage_content(workspace, "inference", {"data/x.csv": b"1"})

    with pytest.raises(FileExistsError):
        stage_content(workspace, "inference", {"data/x.csv": b"2"})


def test_a_folder_is_staged_under_its_last_name(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    source = write_tree("a/data", {"x.csv": "1", "deep/y.csv": "22"})

    staged = stage_paths(source)

    assert read_tree(workspace.input("train")) == {"data/x.csv": b"1", "data/deep/y.csv": b"22"}
    assert (staged.copied, staged.size, staged.foreign) == (2, 3, ())
    assert staged.files["data/x.csv"] == checksum(source / "x.csv")


def test_a_file_is_staged_under_its_own_name(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    source = write_tree("a", {"x.csv": "1"})

    stage_paths(source / "x.csv")

    assert read_tree(workspace.input("train")) == {"x.csv": b"1"}


def test_empty_folders_come_along(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    source = write_tree("data", {"empty/": "", "x": "1"})
    nothing = write_tree("nothing", {})

    stage_paths(source, nothing)

    assert (workspace.input("train") / "data" / "empty").is_dir()
    assert (workspace.input("train") / "nothing").is_dir()


def test_what_is_unchanged_is_not_copied_again(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    source = write_tree("data", {"x": "1", "y": "2"})
    first = stage_paths(source)
    inode = (workspace.input("train") / "data/x").stat().st_ino

    again = stage_paths(source)

    assert again == first._replace(copied=0)
    assert (workspace.input("train") / "data/x").stat().st_ino == inode


def test_what_is_not_to_be_remembered_leaves_no_memory(
    workspace: Workspace, write_tree: WriteTree
) -> None:
    source = write_tree("data", {"x": "1"})
    sources = list_sources(workspace.home, [str(source)], workspace.input("train"))

    staged = stage(workspace, "train", sources, lambda *_: None, is_remembered=False)

    assert staged.copied == 1
    assert read_tree(workspace.input("train")) == {"data/x": b"1"}
    assert not workspace.internal.exists() or not os.listdir(workspace.internal)


def test_what_is_unchanged_is_not_even_read(
    write_tree: WriteTree, stage_paths: StagePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_tree("data", {"x": "1"})
    stage_paths(source)
    monkeypatch.setattr(staging, "checksum", lambda path: pytest.fail(f"read {path}"))

    assert stage_paths(source).copied == 0


def test_a_changed_source_is_copied_again(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    source = write_tree("data", {"x": "1", "y": "2"})
    before = stage_paths(source)
    (source / "x").write_text("other")

    after = stage_paths(source)

    assert after.copied == 1
    assert (workspace.input("train") / "data/x").read_text() == "other"
    assert after.data_id != before.data_id


def test_what_the_source_no_longer_holds_is_removed(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    source = write_tree("data", {"x": "1", "deep/y": "2", "deep/er/z": "3"})
    stage_paths(source)
    (source / "deep/y").unlink()
    (source / "deep/er/z").unlink()
    (source / "deep/er").rmdir()
    (source / "deep").rmdir()

    stage_paths(source)

    assert read_tree(workspace.input("train")) == {"data/x": b"1"}
    assert not (workspace.input("train") / "data/deep").exists()


def test_another_source_takes_the_place_of_the_last_one(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    stage_paths(write_tree("first", {"deep/x": "1"}))

    staged = stage_paths(write_tree("second", {"y": "2"}))

    assert read_tree(workspace.input("train")) == {"second/y": b"2"}
    assert not (workspace.input("train") / "first").exists()
    assert staged.foreign == ()


def _overwrite(path: Path) -> None:
    path.write_text("spoiled")


def _overwrite_secretly(path: Path) -> None:
    status = path.stat()
    path.write_text("2" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _replace_by_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


def _replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("x")


@pytest.mark.parametrize(
    "spoil",
    [_overwrite, _overwrite_secretly, _replace_by_link, _replace_by_folder, os.unlink],
)
def test_a_file_that_an_asset_changed_is_restored(
    workspace: Workspace,
    write_tree: WriteTree,
    stage_paths: StagePaths,
    spoil: Callable[[Path], None],
) -> None:
    source = write_tree("data", {"x": "1"})
    before = stage_paths(source)
    spoil(workspace.input("train") / "data/x")

    after = stage_paths(source)

    assert read_tree(workspace.input("train")) == {"data/x": b"1"}
    assert not (workspace.input("train") / "data/x").is_symlink()
    assert after.data_id == before.data_id
    assert read_tree(source) == {"x": b"1"}


def test_a_folder_that_became_a_link_to_the_source_does_not_harm_the_source(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    source = write_tree("data", {"x": "1"})
    workspace.input("train").mkdir(parents=True)
    (workspace.input("train") / "data").symlink_to(source)

    stage_paths(source)

    assert read_tree(source) == {"x": b"1"}
    assert not (workspace.input("train") / "data").is_symlink()


def test_a_write_into_the_input_path_never_reaches_the_source(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    source = write_tree("data", {"x": "1"})
    stage_paths(source)

    with open(workspace.input("train") / "data/x", "a") as file:
        file.write("more")

    assert read_tree(source) == {"x": b"1"}


def test_a_new_owner_or_hard_link_of_a_copy_costs_no_new_copy(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths, tmp_path: Path
) -> None:
    source = write_tree("data", {"x": "1"})
    stage_paths(source)
    os.link(workspace.input("train") / "data/x", tmp_path / "link")

    assert stage_paths(source).copied == 0


def test_a_copy_that_only_has_a_new_change_time_is_read_once_and_then_remembered(
    workspace: Workspace,
    write_tree: WriteTree,
    stage_paths: StagePaths,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = write_tree("data", {"x": "1"})
    stage_paths(source)
    os.link(workspace.input("train") / "data/x", tmp_path / "link")
    manifest = workspace.staging_manifest("train")
    (manifest.parent / f".{manifest.name}.1-00.alo-tmp").touch()  # of a staging that was killed
    stage_paths(source)
    monkeypatch.setattr(staging, "checksum", lambda path: pytest.fail(f"read {path}"))

    assert stage_paths(source).copied == 0
    assert os.listdir(manifest.parent) == [manifest.name]


def test_what_a_file_and_a_folder_exchange_is_followed(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    source = write_tree("data", {"a/x": "1", "b": "2"})
    stage_paths(source)
    (source / "a/x").unlink()
    (source / "a").rmdir()
    (source / "b").unlink()
    write_tree("data", {"a": "3", "b/y": "4"})

    stage_paths(source)

    assert read_tree(workspace.input("train")) == {"data/a": b"3", "data/b/y": b"4"}


def test_files_put_there_by_hand_stay_and_count(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    source = write_tree("data", {"x": "1"})
    write_tree("project/input/train", {"mine.csv": "2"})

    staged = stage_paths(source)

    assert staged.foreign == ("mine.csv",)
    assert set(staged.files) == {"data/x", "mine.csv"}
    assert stage_paths(source).foreign == ("mine.csv",)


def test_files_used_without_a_path_are_not_taken_for_copies_later(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    write_tree("project/input/train", {"mine.csv": "2"})
    use_what_is_there(workspace, "train")

    stage_paths(write_tree("data", {"x": "1"}))

    assert read_tree(workspace.input("train")) == {"data/x": b"1", "mine.csv": b"2"}


def test_without_a_path_what_is_there_is_used(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    staged = stage_paths(write_tree("data", {"x": "1"}))

    used = use_what_is_there(workspace, "train")

    assert (used.files, used.data_id, used.copied) == (staged.files, staged.data_id, 0)


def test_without_a_path_and_without_data_there_is_no_data_id(workspace: Workspace) -> None:
    used = use_what_is_there(workspace, "train")

    assert used == Staged({}, 0, 0, ())
    assert used.data_id == ""


def test_the_data_id_covers_names_and_contents_only(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    first = stage_paths(write_tree("a/data", {"x": "1", "y": "2"}))
    same = stage_paths(write_tree("b/data", {"y": "2", "x": "1"}))
    renamed = stage_paths(write_tree("c/data", {"x": "1", "z": "2"}))

    assert first.data_id == same.data_id != renamed.data_id
    assert len(first.data_id) == 12


def test_names_of_any_bytes_are_staged(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    source = write_tree("data", {"한글 name": "1", "new\nline": "2"})
    (source / os.fsdecode(b"\xff\xfe")).write_text("3")

    first = stage_paths(source)

    assert len(first.files) == 3
    assert stage_paths(source) == first._replace(copied=0)


def test_the_room_that_is_needed_leaves_out_what_is_there(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    source = write_tree("data", {"x": "1", "y": "22"})
    stage_paths(source)
    (source / "y").write_text("4444")
    (workspace.input("train") / "data/x").unlink()

    sources = list_sources(workspace.home, [str(source)], workspace.input("train"))

    assert bytes_to_copy(workspace, "train", sources) == 5


names = st.text("ab", min_size=1, max_size=2)
trees = st.dictionaries(
    st.lists(names, min_size=1, max_size=3).map("/".join), st.binary(max_size=3), max_size=6
).filter(lambda tree: not any(a != b and b.startswith(f"{a}/") for a in tree for b in tree))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.tuples(trees, trees), min_size=1, max_size=4))
def test_input_always_ends_as_the_source_is_whatever_was_there(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[dict[str, bytes], dict[str, bytes]]]
) -> None:
    base = tmp_path_factory.mktemp("any")
    workspace = Workspace(base / "project")
    workspace.home.mkdir()
    for number, (tree, spoiled) in enumerate(steps):
        source = base / str(number) / "data"
        source.mkdir(parents=True)
        for name, content in tree.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(content)
        sources = list_sources(workspace.home, [str(source)], workspace.input("train"))

        stage(workspace, "train", sources, lambda done, total: None)

        assert read_tree(workspace.input("train")) == {f"data/{name}": tree[name] for name in tree}
        for name, content in spoiled.items():  # what an asset may do there
            path = workspace.input("train") / "data" / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            except OSError:
                continue
