"""Volumes, other disks and links in a project: runs go on, or the check says so; none is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.engine.checks.preflight import check_plan
from alo.engine.rerun import rerun
from alo.errors import CheckError, StepError
from alo.history.browse import History
from alo.layout import Workspace
from alo.plan.load import load_plan

from .conftest import TRAIN, USE

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]
Mount = Callable[..., Path]
PutVolume = Callable[[Path], Path]

SPOIL = "Path(self.asset.get_model_path(), 'model').write_text('spoilt')\n1 / 0"


def contents(home: Path) -> dict[str, str]:
    return {
        str(path.relative_to(home)): "" if path.is_dir() else path.read_text()
        for path in sorted(home.rglob("*"))
    }


def model(home: Path) -> str:
    return (home / "train_artifacts/models/train/model").read_text()


# Volumes


REPLACED = [
    ("train", "train_artifacts"),
    ("train", "train_artifacts/models"),
    ("train", "train_artifacts/models/train"),
    ("train", "train_artifacts/log"),
    ("all", "inference_artifacts"),
    ("inference", "inference_artifacts/output"),
    ("train", "input/train/data"),
    ("train", "input/train/data/sub"),
    ("train", ".unfinished_run"),
    ("train", ".unfinished_run/previous"),
]


@pytest.mark.parametrize(("mode", "place"), REPLACED, ids=[place for _, place in REPLACED])
def test_a_volume_in_what_a_run_replaces_is_refused_by_check_and_run_before_anything_changes(
    mode: str, place: str, home: Path, put_volume: PutVolume, alo: Callable[..., Any]
) -> None:
    volume = put_volume(home / place)
    before = contents(home)

    done = [alo(command, "--mode", mode, cwd=home) for command in ("check", "run")]

    for each in done:
        assert each.returncode == 2, each.stderr
        assert f"{volume}  a volume is mounted here, and" in each.stderr
    assert contents(home) == before


def test_a_volume_where_code_is_to_be_checked_out_is_refused(
    make_solution: MakeSolution, run: Run, put_volume: PutVolume
) -> None:
    home = make_solution({"train": None}, source={"train": {"code": "file:///nowhere.git"}})
    volume = put_volume(home / "assets/train")

    with pytest.raises(CheckError, match="checked out in its place"):
        run(home)

    assert (volume / "theirs").read_text() == "theirs"


def test_a_volume_in_the_place_of_data_that_was_staged_before_is_refused(
    home: Path, make_solution: MakeSolution, run: Run, put_volume: PutVolume, tmp_path: Path
) -> None:
    run(home, "train")
    (tmp_path / "data").rename(tmp_path / "other")
    make_solution(
        {"train": TRAIN},
        home=home,
        args={"train": {"n": 1}},
        external={"load_train_data_path": str(tmp_path / "other")},
    )
    volume = put_volume(home / "input/train/data")
    (volume / "a.csv").write_text("theirs, by the name of a copy")

    with pytest.raises(CheckError, match="a volume is mounted here"):
        run(home, "train")

    assert (volume / "a.csv").read_text() == "theirs, by the name of a copy"


LEFT_ALONE = [
    ".alo",
    ".asset_interface",
    "history",
    "history/train",
    "history/inference",
    "input",
    "input/train",
    "assets/train/data",
    "elsewhere",
]


@pytest.mark.parametrize("place", LEFT_ALONE)
def test_anywhere_else_a_volume_is_no_trouble(
    place: str, home: Path, run: Run, put_volume: PutVolume
) -> None:
    volume = put_volume(home / place)

    first, _ = run(home)
    run(home, overrides=("train.n=2",))
    again = rerun(home, first.run_id, lambda event: None)

    assert model(home) == "model 1"
    assert {again.status, *(entry.status for entry in History(Workspace(home)).list())} == {
        "success"
    }
    assert len(History(Workspace(home)).list()) == 5
    assert (volume / "theirs").read_text() == "theirs"
    assert not (home / ".unfinished_run").exists()
    assert not list(home.glob(".alo-trash-*"))


@pytest.mark.parametrize("place", ["train_artifacts", "train_artifacts/models"])
def test_a_model_that_is_mounted_read_only_serves_an_inference(
    place: str, home: Path, run: Run, mount: Mount, tmp_path: Path
) -> None:
    run(home)
    (home / place).rename(tmp_path / "volume")
    mount(home / place, "--bind", str(tmp_path / "volume"), lazily=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", str(home / place)], check=True)

    (outcome,) = run(home, "inference")

    assert outcome.summary["result"] == "model 1"


def test_data_that_is_mounted_read_only_is_used_where_no_path_is_named(
    make_solution: MakeSolution, run: Run, mount: Mount, tmp_path: Path
) -> None:
    seen = "self.data['seen'] = (Path(self.asset.get_input_path()) / 'a.csv').read_text()"
    home = make_solution({"train": seen})
    (tmp_path / "volume/train").mkdir(parents=True)
    (tmp_path / "volume/train/a.csv").write_text("1")
    mount(home / "input", "--bind", str(tmp_path / "volume"), lazily=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", str(home / "input")], check=True)

    (outcome,) = run(home)

    assert outcome.status == "success"


def test_a_service_does_not_mind_what_only_a_run_would_replace(
    home: Path, put_volume: PutVolume
) -> None:
    put_volume(home / "inference_artifacts")
    plan = load_plan(home / "solution/experimental_plan.yaml", home=home)

    check_plan(plan, Workspace(home), "inference", serves=True)

    with pytest.raises(CheckError, match="a volume is mounted here"):
        check_plan(plan, Workspace(home), "inference")


def test_models_that_another_run_lends_do_not_take_a_volumes_place(
    home: Path, run: Run, put_volume: PutVolume, tmp_path: Path
) -> None:
    _, inference = run(home)
    (home / "train_artifacts/models").rename(tmp_path / "models")
    volume = put_volume(home / "train_artifacts/models")

    with pytest.raises(CheckError, match=r"take the place of train_artifacts/models/"):
        rerun(home, inference.run_id, lambda event: None)

    assert (volume / "theirs").read_text() == "theirs"


MOUNTING = """
import subprocess
subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', self.asset.get_report_path()], check=True)
Path(self.asset.get_report_path(), 'theirs').write_text('theirs')
"""


@pytest.mark.parametrize("ending", ["", "1 / 0"], ids=["success", "failure"])
def test_what_was_mounted_while_a_run_went_on_is_not_emptied_either(
    ending: str, home: Path, make_solution: MakeSolution, run: Run, mount: Mount
) -> None:
    mount(home.parent / "probe", "-t", "tmpfs", "tmpfs")
    make_solution({"train": f"{TRAIN}{MOUNTING}{ending}"}, args={"train": {"n": 2}})
    try:
        if ending:
            with pytest.raises(StepError):
                run(home, "train")
        else:
            run(home, "train")
        with open("/proc/self/mounts") as file:
            points = [line.split()[1] for line in file if line.split()[1].startswith(f"{home}/")]
        assert [Path(point, "theirs").read_text() for point in points] == ["theirs"]
    finally:
        for point in points:
            subprocess.run(["umount", point], check=True)


def test_an_entry_of_history_with_a_volume_in_it_stays(
    home: Path, run: Run, put_volume: PutVolume
) -> None:
    first, *_ = run(home, "train")
    volume = put_volume(first.history / "report")
    plan = json.loads((home / "solution/experimental_plan.yaml").read_text())
    plan["control"]["backup_size"] = 0
    (home / "solution/experimental_plan.yaml").write_text(json.dumps(plan))

    run(home, "train")
    run(home, "train")

    assert (volume / "theirs").read_text() == "theirs"
    assert (first.history / "models/train/model").exists()


# Links


@pytest.fixture
def disk(tmp_path: Path, mount: Mount) -> Path:
    """A folder of another disk."""
    return mount(tmp_path / "disk", "-t", "tmpfs", "tmpfs", lazily=True)


LINKED = [".alo", ".asset_interface", "history", "history/train", "input", "input/train"]


@pytest.mark.parametrize("place", LINKED)
def test_a_folder_may_be_a_link_to_another_disk(
    place: str, home: Path, run: Run, disk: Path
) -> None:
    link = home / place
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(disk)

    for number in (1, 2):
        run(home, overrides=(f"train.n={number}",))

    assert link.is_symlink()
    assert model(home) == "model 2"
    assert len(History(Workspace(home)).list()) == 4


@pytest.mark.parametrize(
    "place",
    ["train_artifacts", "train_artifacts/models", "inference_artifacts/output"],
)
def test_artifacts_that_are_a_link_are_replaced_with_a_warning_and_what_they_lead_to_stays(
    place: str, home: Path, run: Run, disk: Path, heard: Any
) -> None:
    (disk / "theirs").write_text("theirs")
    link = home / place
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(disk)

    run(home)

    assert os.listdir(disk) == ["theirs"]
    assert model(home) == "model 1"
    assert any(f"{link}  a link: a run puts" in getattr(event, "text", "") for event in heard)


@pytest.mark.parametrize("place", [".alo", "history", "input/train", "train_artifacts"])
def test_a_link_that_leads_nowhere_is_reported_by_the_check(
    place: str, home: Path, run: Run
) -> None:
    (home / place).parent.mkdir(exist_ok=True)
    (home / place).symlink_to("nowhere")

    with pytest.raises(CheckError, match="a link that leads nowhere"):
        run(home)


def test_where_the_internals_are_elsewhere_a_failed_inference_gets_its_model_back(
    home: Path, make_solution: MakeSolution, run: Run, disk: Path
) -> None:
    (home / ".alo").symlink_to(disk)
    run(home)
    make_solution(None, {"inference": SPOIL}, home=home)

    with pytest.raises(StepError):
        run(home, "inference")

    assert model(home) == "model 1"
    assert sorted(os.listdir(home / "train_artifacts")) == ["log", "models"]


@pytest.mark.parametrize("kind", ["train", "inference"])
def test_where_the_internals_are_elsewhere_a_killed_run_is_undone(
    kind: str, home: Path, make_solution: MakeSolution, run: Run, disk: Path
) -> None:
    (home / ".alo").symlink_to(disk)
    run(home)
    spoil = f"{SPOIL.partition(chr(10))[0]}\nimport os; os.kill(os.getpid(), 9)"
    make_solution(
        **{kind: {"train" if kind == "train" else "inference": spoil}},  # type: ignore[arg-type]
        home=home,
        args={"train": {"n": 1}},
    )
    command = [sys.executable, "-m", "alo.cli.main", "run", "--mode", kind]
    assert subprocess.run(command, cwd=home, check=False).returncode == -signal.SIGKILL
    make_solution({"train": TRAIN}, {"inference": USE}, home=home, args={"train": {"n": 1}})

    (outcome,) = run(home, "inference")

    assert outcome.summary["result"] == "model 1"
    assert not (home / ".unfinished_run").exists()


# Container images: folders that came with the image cannot be renamed as such


@pytest.fixture
def image(home: Path, run: Run, tmp_path: Path, mount: Mount) -> Path:
    """The project as a container has it, after a run that is part of its image."""
    run(home)
    for name in ("upper", "work"):
        (tmp_path / name).mkdir()
    layers = f"lowerdir={home},upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    return mount(tmp_path / "container", "-t", "overlay", "overlay", "-o", layers, lazily=True)


def test_a_project_in_an_image_that_has_run_before_runs_again(image: Path, run: Run) -> None:
    run(image, overrides=("train.n=2",))

    assert model(image) == "model 2"
    assert len(History(Workspace(image)).list()) == 4
    assert not (image / ".unfinished_run").exists()


def test_a_failed_run_there_leaves_the_models_of_the_image(
    image: Path, make_solution: MakeSolution, run: Run
) -> None:
    make_solution({"train": f"{TRAIN}\n1 / 0"}, home=image, args={"train": {"n": 2}})

    with pytest.raises(StepError):
        run(image, "train")

    assert model(image) == "model 1"


def test_a_failed_inference_there_gets_the_model_of_the_image_back(
    image: Path, make_solution: MakeSolution, run: Run
) -> None:
    make_solution(None, {"inference": SPOIL}, home=image)

    with pytest.raises(StepError):
        run(image, "inference")

    assert model(image) == "model 1"
    assert sorted(os.listdir(image / "train_artifacts")) == ["log", "models"]
