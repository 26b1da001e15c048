from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.data.location import LocationError
from alo.data.locations import list_sources
from alo.layout import Workspace

WriteTree = Callable[..., Path]


def names(workspace: Workspace, *paths: str | Path) -> list[str]:
    files = list_sources(workspace.home, [str(path) for path in paths], workspace.input("train"))
    return [file.name for file in files]


def test_files_are_listed_below_the_last_name_of_their_source(
    workspace: Workspace, write_tree: WriteTree
) -> None:
    first = write_tree("a/first", {"x.csv": "1", "deep/y.csv": "2"})
    second = write_tree("b/second", {"z.csv": "3"})

    assert names(workspace, first, second) == ["first/deep/y.csv", "first/x.csv", "second/z.csv"]


def test_a_single_file_keeps_its_own_name(workspace: Workspace, write_tree: WriteTree) -> None:
    folder = write_tree("a", {"x.csv": "1"})

    assert names(workspace, folder / "x.csv") == ["x.csv"]


@pytest.mark.parametrize("path", ["data/", "./data", "data/.", "../project/data"])
def test_relative_paths_start_at_the_project(
    workspace: Workspace, write_tree: WriteTree, path: str
) -> None:
    write_tree("project/data", {"x.csv": "1"})

    assert names(workspace, path) == ["data/x.csv"]


def test_a_home_folder_is_expanded(
    workspace: Workspace, write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_tree("somebody/data", {"x.csv": "1"})
    monkeypatch.setenv("HOME", str(tmp_path / "somebody"))

    assert names(workspace, "~/data") == ["data/x.csv"]


def test_two_sources_of_the_same_last_name_are_refused(
    workspace: Workspace, write_tree: WriteTree
) -> None:
    first, second = write_tree("a/data", {"x": "1"}), write_tree("b/data", {"y": "2"})

    with pytest.raises(LocationError, match="same last name 'data'") as caught:
        names(workspace, first, second)

    assert str(first) in caught.value.what
    assert str(second) in caught.value.what


def test_a_missing_source_is_refused_by_the_name_it_has_in_the_plan(workspace: Workspace) -> None:
    with pytest.raises(LocationError, match=r"^\./nothing/: does not exist") as caught:
        names(workspace, "./nothing/")

    assert caught.value.where == str(workspace.home / "nothing")


def test_a_link_to_nothing_is_named(workspace: Workspace, write_tree: WriteTree) -> None:
    folder = write_tree("data", {"x": "1"})
    (folder / "lost").symlink_to("nowhere")

    with pytest.raises(LocationError, match="lost: a link to something that does not exist"):
        names(workspace, folder)


def test_a_link_that_leads_back_is_refused(workspace: Workspace, write_tree: WriteTree) -> None:
    folder = write_tree("data", {"deep/x": "1"})
    (folder / "deep" / "again").symlink_to(folder)

    with pytest.raises(LocationError, match="leads back to a folder above it"):
        names(workspace, folder)


def test_links_are_followed_more_than_once(workspace: Workspace, write_tree: WriteTree) -> None:
    shared = write_tree("shared", {"x": "1"})
    folder = write_tree("data", {"y": "2"})
    for name in ("one", "two"):
        (folder / name).symlink_to(shared)

    assert names(workspace, folder) == ["data/one/x", "data/two/x", "data/y"]


def test_a_pipe_is_refused_and_not_waited_for(workspace: Workspace, write_tree: WriteTree) -> None:
    folder = write_tree("data", {"x": "1"})
    os.mkfifo(folder / "pipe")

    with pytest.raises(LocationError, match="pipe: neither a file nor a folder"):
        names(workspace, folder)


@pytest.mark.parametrize("path", [".", "..", "input", "input/train", "input/train/data", "/"])
def test_a_source_that_overlaps_the_staged_data_is_refused(workspace: Workspace, path: str) -> None:
    (workspace.input("train") / "data").mkdir(parents=True)

    with pytest.raises(LocationError, match="overlaps"):
        names(workspace, path)


def test_an_unreadable_file_is_refused(unprivileged: Path) -> None:
    data = unprivileged / "data"
    data.mkdir()
    (data / "secret.csv").write_text("1")
    (data / "secret.csv").chmod(0)

    with pytest.raises(LocationError, match=r"secret\.csv: no permission to read it"):
        list_sources(unprivileged, ["data"], unprivileged / "input" / "train")


def test_an_unreadable_folder_is_refused(unprivileged: Path) -> None:
    data = unprivileged / "data"
    data.mkdir()
    data.chmod(0)

    with pytest.raises(LocationError, match="data: Permission denied"):
        list_sources(unprivileged, ["data"], unprivileged / "input" / "train")
