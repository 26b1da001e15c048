"""A finished run in history: whole or not at all, and nothing of it shared that may change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from alo import copies
from alo.history import entry as entry_module
from alo.history.entry import entry_folder, link_tree, save_entry
from alo.history.record import RunRecord
from alo.history.verify import damage
from alo.layout import Workspace

MakeRecord = Callable[..., RunRecord]


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    folder = tmp_path / "project/train_artifacts"
    for name in ("models/train/model", "output/a.csv", "log/pipeline.log"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "report").mkdir()
    return folder


@pytest.fixture
def save(workspace: Workspace, artifacts: Path, make_record: MakeRecord) -> Callable[..., Path]:
    def save_it(record: RunRecord | None = None, **options: object) -> Path:
        settings = {"plan": b"name: demo\n", "artifacts": artifacts, "code": {}, **options}
        return save_entry(workspace, record or make_record(), **settings)  # type: ignore[arg-type]

    return save_it


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run counts as a large one, whose files are shared and sealed later."""
    monkeypatch.setattr(entry_module, "SMALL_RUN", 0)
    monkeypatch.setattr(entry_module, "seal_in_background", lambda folder: None)


def test_an_entry_holds_plan_code_artifacts_logs_and_record(
    save: Callable[..., Path], make_record: MakeRecord, tmp_path: Path, workspace: Workspace
) -> None:
    code = tmp_path / "copy.py"
    code.write_text("pass")
    record = make_record(result="good", score=0.5)

    folder = save(record, code={"assets/train/asset_train.py": code})

    assert folder == entry_folder(workspace, "train", record.id)
    assert (folder / "experimental_plan.yaml").read_bytes() == b"name: demo\n"
    assert (folder / "assets/train/asset_train.py").read_text() == "pass"
    assert (folder / "models/train/model").read_text() == "models/train/model"
    assert (folder / "log/pipeline.log").exists()
    assert (folder / "report").is_dir()
    told = json.loads((folder / "log/experimental_history.json").read_text())
    assert RunRecord.from_json(told) == record
    assert damage(folder) == []


@pytest.mark.parametrize("status", ["error", "interrupted"])
def test_the_entry_of_a_run_that_did_not_succeed_is_named_so(
    save: Callable[..., Path], make_record: MakeRecord, workspace: Workspace, status: str
) -> None:
    record = make_record(status=status)

    folder = save(record)

    assert folder.name == f"{record.id}-error"
    assert entry_folder(workspace, "train", record.id) == folder


def test_what_is_not_to_be_backed_up_is_left_out(save: Callable[..., Path]) -> None:
    without_artifacts = save(backup_artifacts=False)
    without_log = save(backup_log=False)

    assert not (without_artifacts / "models").exists()
    assert (without_artifacts / "log/pipeline.log").exists()
    assert (without_log / "models/train/model").exists()
    assert not (without_log / "log/pipeline.log").exists()
    assert (without_log / "log/experimental_history.json").exists()


def test_a_small_run_does_not_change_with_its_artifacts(
    save: Callable[..., Path], artifacts: Path
) -> None:
    folder = save()

    with open(artifacts / "output/a.csv", "a") as file:
        file.write("later")

    assert (folder / "output/a.csv").read_text() == "output/a.csv"


@pytest.mark.usefixtures("large")
def test_a_large_run_is_shared_but_for_its_logs(save: Callable[..., Path], artifacts: Path) -> None:
    folder = save()

    def is_copy(name: str) -> bool:
        return (folder / name).stat().st_ino != (artifacts / name).stat().st_ino

    assert is_copy("log/pipeline.log")
    assert not is_copy("models/train/model") or _can_reflink(artifacts)
    assert (folder / "models/train/model").read_text() == "models/train/model"
    if not is_copy("models/train/model"):  # no one may write into both at once
        assert (artifacts / "models/train/model").stat().st_mode & 0o222 == 0


def _can_reflink(folder: Path) -> bool:
    with open(folder / "output/a.csv", "rb") as source, open(folder / "clone", "wb") as target:
        return copies._clone(source.fileno(), target.fileno())


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("has_copy_range", [True, False])
def test_where_files_cannot_be_shared_they_are_copied(
    save: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, has_copy_range: bool
) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(copies, "_clone", lambda source, target: False)
    monkeypatch.setattr(os, "link", refuse)
    if not has_copy_range:
        monkeypatch.delattr(os, "copy_file_range", raising=False)

    folder = save()

    assert (folder / "models/train/model").read_text() == "models/train/model"
    assert (folder / "models/train/model").stat().st_nlink == 1


def test_links_stay_links_and_odd_files_are_left_out(
    save: Callable[..., Path], artifacts: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (artifacts / "output/link").symlink_to(secret)
    (artifacts / "output/loop").symlink_to(artifacts, target_is_directory=True)
    (artifacts / "output/nowhere").symlink_to("nowhere")
    os.mkfifo(artifacts / "output/pipe")

    folder = save()

    assert os.readlink(folder / "output/link") == str(secret)
    assert os.readlink(folder / "output/nowhere") == "nowhere"
    assert (folder / "output/loop").is_symlink()
    assert not (folder / "output/pipe").exists()
    assert damage(folder) == []


def test_read_only_folders_and_names_that_are_no_utf8_are_kept(
    save: Callable[..., Path], artifacts: Path
) -> None:
    (artifacts / os.fsdecode(b"output/\xff.csv")).write_text("x")
    (artifacts / "output").chmod(0o555)

    folder = save()
    (artifacts / "output").chmod(0o755)

    assert (folder / os.fsdecode(b"output/\xff.csv")).read_text() == "x"
    assert damage(folder) == []


def test_artifacts_cannot_take_the_place_of_plan_code_or_record(
    save: Callable[..., Path], artifacts: Path
) -> None:
    for name in ("experimental_plan.yaml", "log/experimental_history.json", "log/checksums.json"):
        (artifacts / name).write_text("mine")
    (artifacts / "assets").mkdir()
    (artifacts / "assets/x.py").write_text("mine")

    folder = save()

    assert (folder / "experimental_plan.yaml").read_bytes() == b"name: demo\n"
    assert not (folder / "assets").exists()
    assert damage(folder) == []


def test_a_run_without_artifacts_is_kept(save: Callable[..., Path], tmp_path: Path) -> None:
    assert damage(save(artifacts=tmp_path / "nothing")) == []


def test_nothing_is_left_when_it_cannot_be_saved(
    save: Callable[..., Path], workspace: Workspace, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match="missing"):
        save(code={"assets/a/a.py": tmp_path / "missing"})

    assert list(workspace.history.rglob("*/*")) == []


def test_what_a_killed_process_was_building_is_swept_but_not_what_is_being_built(
    save: Callable[..., Path], workspace: Workspace
) -> None:
    builder = (
        "import sys; from pathlib import Path; from alo.history.folders import building\n"
        "with building(Path(sys.argv[1]), 'run') as folder:\n"
        "    (folder / 'half').write_text('x'); print(flush=True); sys.stdin.read()"
    )
    folder = workspace.history / "train"
    process = subprocess.Popen(
        [sys.executable, "-c", builder, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        save()
        being_built = list(folder.glob(".run.*"))
        process.kill()

    assert len(being_built) == 1
    save()
    assert list(folder.glob(".*")) == []


def test_linking_a_tree_gives_the_same_files_a_second_place(
    artifacts: Path, tmp_path: Path
) -> None:
    link_tree(artifacts, tmp_path / "second/place")

    assert (tmp_path / "second/place/models/train/model").read_text() == "models/train/model"
    assert (tmp_path / "second/place/report").is_dir()
