"""An entry is there whole or not at all, and what was left half built or half removed goes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.history.entries.folders import (
    building,
    mark_unsealed,
    put_away,
    sweep,
    unmark_unsealed,
    unsealed_entries,
)
from alo.layout import Workspace

Keep = Callable[..., Path]


@pytest.fixture
def folder(workspace: Workspace) -> Path:
    return workspace.history / "train"


def test_an_entry_has_its_name_only_once_it_is_whole(folder: Path) -> None:
    with building(folder, "run") as build:
        (build / "a").write_text("1")
        assert not (folder / "run").exists()
        assert not sweep(folder)  # it is being built, and stays
        assert (build / "a").exists()

    assert (folder / "run/a").read_text() == "1"
    assert os.listdir(folder) == ["run"]
    assert sweep(folder)


def test_of_one_that_cannot_be_built_nothing_is_left(folder: Path) -> None:
    def build_half() -> None:
        with building(folder, "run") as build:
            (build / "a").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_half()

    assert os.listdir(folder) == []


def test_what_a_killed_process_left_is_swept(folder: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path\n"
        "from alo.history.entries.folders import building\n"
        "with building(Path(sys.argv[1]), 'run') as build: (build / 'a').touch(); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)
    (folder / ".old.0011.removing/x").mkdir(parents=True)
    (folder / ".of someone else").touch()
    assert len(os.listdir(folder)) == 3

    sweep(folder)

    assert os.listdir(folder) == [".of someone else"]


def test_a_folder_that_is_not_there_is_swept(folder: Path) -> None:
    assert sweep(folder)


def test_an_entry_is_removed_even_where_its_folders_are_read_only(keep: Keep) -> None:
    entry = keep(0, files={"deep/er/a": b"1"})
    os.chmod(entry / "deep", 0o500)

    assert put_away(entry)
    assert not put_away(entry)
    assert os.listdir(entry.parent) == []


def test_a_link_in_the_place_of_an_entry_goes_and_what_it_leads_to_stays(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/a").touch()
    folder.mkdir(parents=True)
    (folder / "run").symlink_to(tmp_path / "theirs")

    assert put_away(folder / "run")

    assert not os.path.lexists(folder / "run")
    assert (tmp_path / "theirs/a").exists()


def test_entries_that_are_to_be_sealed_are_remembered(keep: Keep, workspace: Workspace) -> None:
    assert unsealed_entries(workspace) == []
    entry = keep(0, id="run with a space")

    mark_unsealed(entry)

    assert unsealed_entries(workspace) == [entry]
    unmark_unsealed(entry)
    unmark_unsealed(entry)
    assert unsealed_entries(workspace) == []


def test_what_fails_while_an_entry_is_built_names_the_entry(folder: Path) -> None:
    with pytest.raises(FileNotFoundError) as reported, building(folder, "run") as build:
        (build / "output/a.csv").read_bytes()

    assert reported.value.filename == str(folder / "run/output/a.csv")
