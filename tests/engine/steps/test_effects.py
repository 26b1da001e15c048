"""What a step did to the files around it is known from how they were before it and are after."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alo.engine.steps import effects
from alo.engine.steps.effects import Snapshot, train_files
from alo.layout import Workspace

TOPS = ("train_artifacts", "input/train")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for top in TOPS:
        (tmp_path / top).mkdir(parents=True)
    (tmp_path / "train_artifacts/old").write_text("1")
    (tmp_path / "train_artifacts/gone").write_text("1")
    (tmp_path / "train_artifacts/link").symlink_to("old")
    return tmp_path


def test_nothing_done_is_no_effect(home: Path) -> None:
    effect = Snapshot.of(home, TOPS).effect(Snapshot.of(home, TOPS))

    assert not any(effect)


def test_all_that_was_done_is_reported(home: Path) -> None:
    before = Snapshot.of(home, TOPS)
    artifacts = home / "train_artifacts"
    (artifacts / "new").mkdir()
    (artifacts / "new/file").write_text("1")
    (artifacts / "old").write_text("22")
    (artifacts / "gone").unlink()
    (artifacts / "link").unlink()
    (artifacts / "link").symlink_to("new/file")
    os.link(artifacts / "new/file", artifacts / "new/twin")
    (home / "input/train/a").touch()
    (home / "elsewhere").touch()

    effect = before.effect(Snapshot.of(home, TOPS))

    assert effect.files == ("input/train/a", "train_artifacts/new/file", "train_artifacts/old")
    assert effect.twins == {"train_artifacts/new/twin": "train_artifacts/new/file"}
    assert effect.links == {"train_artifacts/link": "new/file"}
    assert effect.folders == ("train_artifacts/new",)
    assert effect.removed == ("train_artifacts/gone",)


def test_the_runs_own_logs_are_no_effect(home: Path) -> None:
    before = Snapshot.of(home, TOPS)
    (home / "train_artifacts/log").mkdir()
    (home / "train_artifacts/log/process.log").write_text("x")
    (home / "input/train/log").mkdir()

    effect = before.effect(Snapshot.of(home, TOPS))

    assert effect.files == ()
    assert effect.folders == ("input/train/log",)


def test_a_write_of_the_same_size_is_reported(home: Path) -> None:
    before = Snapshot.of(home, TOPS)
    file = home / "train_artifacts/old"
    file.write_text("2")
    os.utime(file, ns=(0, 0))

    assert before.effect(Snapshot.of(home, TOPS)).files == ("train_artifacts/old",)


@pytest.fixture
def train(home: Path) -> Workspace:
    (home / "train_artifacts/models/m").mkdir(parents=True)
    (home / "train_artifacts/models/m/weights").write_text("1")
    return Workspace(home)


def test_an_inference_depends_on_the_model_and_on_the_rest_apart(train: Workspace) -> None:
    before = train_files(train)
    (train.models / "m/weights").write_text("2")

    after = train_files(train)

    assert after["model"] != before["model"]
    assert after["other train artifacts"] == before["other train artifacts"]
    (train.home / "train_artifacts/old").write_text("2")
    assert train_files(train)["other train artifacts"] != after["other train artifacts"]


def test_what_is_behind_a_link_counts_and_a_circle_has_an_end(
    train: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "w").write_text("1")
    (train.models / "link").symlink_to(elsewhere)
    (elsewhere / "circle").symlink_to(train.models)
    (train.models / "up").symlink_to("..")
    before = train_files(train)

    (elsewhere / "w").write_text("2")

    assert train_files(train)["model"] != before["model"]


def test_of_a_large_file_beside_the_model_only_the_time_counts(
    train: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effects, "LARGE", 0)
    files = [train.home / "train_artifacts/old", train.models / "m/weights"]
    for file in files:
        os.utime(file, ns=(5, 5))
    before = train_files(train)
    for file in files:
        file.write_text("2")
        os.utime(file, ns=(5, 5))

    after = train_files(train)

    assert after["other train artifacts"] == before["other train artifacts"]
    assert after["model"] != before["model"]


def test_a_link_that_leads_nowhere_is_reported_by_where_it_leads(home: Path) -> None:
    link = home / "train_artifacts/link"
    link.unlink()
    link.symlink_to("nowhere")
    before = Snapshot.of(home, TOPS)

    assert not any(before.effect(Snapshot.of(home, TOPS)))
    link.unlink()
    link.symlink_to("elsewhere")

    assert before.effect(Snapshot.of(home, TOPS)).links == {"train_artifacts/link": "elsewhere"}
