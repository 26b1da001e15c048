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
from alo.files import checksum
from alo.history.entries import save as entry_module
from alo.history.entries.save import (
    copy_tree,
    entry_folder,
    kept_code,
    kept_input,
    link_artifacts,
    save_entry,
)
from alo.history.entries.seal import seal, seal_what_is_left
from alo.history.entries.verify import damage
from alo.history.record import RunRecord
from alo.history.retention import keep_within
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
    """Every file counts as a large one, of which the entry gets its own copy later."""
    monkeypatch.setattr(entry_module, "COPIED_AT_ONCE", 0)
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
    reported = json.loads((folder / "log/experimental_history.json").read_text())
    assert RunRecord.from_json(reported) == record
    assert damage(folder) == []


def test_the_artifacts_of_an_entry_are_linked_without_what_history_adds(
    save: Callable[..., Path], tmp_path: Path
) -> None:
    entry, folder = save(), tmp_path / "seen"

    link_artifacts(entry, folder)

    assert (folder / "models/train/model").read_text() == "models/train/model"
    assert (folder / "log/pipeline.log").read_text() == "log/pipeline.log"
    linked = {path.name for path in (*folder.iterdir(), *(folder / "log").iterdir())}
    assert {"models", "output", "report", "log", "pipeline.log"} <= linked
    assert not {"experimental_plan.yaml", "experimental_history.json"} & linked


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
def test_a_large_file_is_in_the_entry_at_once_and_a_file_of_its_own_once_it_is_sealed(
    save: Callable[..., Path], artifacts: Path, workspace: Workspace
) -> None:
    mine = artifacts / "models/train/model"
    mine.chmod(0o664)
    before = mine.stat()

    folder = save()
    assert (folder / "models/train/model").read_text() == "models/train/model"
    assert (folder / "log/pipeline.log").stat().st_nlink == 1  # it may still be appended to
    assert seal_what_is_left(workspace) == {}

    kept = (folder / "models/train/model").stat()
    assert kept.st_ino != before.st_ino
    assert (kept.st_mode, kept.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert (mine.stat().st_mode, mine.stat().st_nlink) == (before.st_mode, 1)
    with open(mine, "r+") as file:
        file.write("tuned")
    assert damage(folder) == []
    assert not list(workspace.history.rglob(".unsealed/*"))


@pytest.mark.usefixtures("large")
def test_a_file_whose_artifacts_are_gone_is_not_copied_once_more(
    save: Callable[..., Path], artifacts: Path
) -> None:
    folder = save()
    before = (folder / "models/train/model").stat()
    (artifacts / "models/train/model").unlink()

    seal(folder)

    assert (folder / "models/train/model").stat().st_ino == before.st_ino
    assert damage(folder) == []


def test_the_small_files_of_a_large_run_are_copied_at_once(
    save: Callable[..., Path], artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry_module, "seal_in_background", lambda folder: None)
    monkeypatch.setattr(entry_module, "COPIED_AT_ONCE", 1000)
    (artifacts / "models/train/large").write_bytes(bytes(1001))

    folder = save()

    assert (folder / "models/train/model").stat().st_nlink == 1
    assert (folder / "output/a.csv").stat().st_nlink == 1


def test_code_that_an_entry_has_is_found_by_its_checksum_unless_it_was_changed(
    save: Callable[..., Path], workspace: Workspace, tmp_path: Path
) -> None:
    for name in ("weights", "other"):
        (tmp_path / name).write_text(name)
    code = {f"assets/a/{name}": tmp_path / name for name in ("weights", "other")}
    folder = save(code=code)
    (folder / "assets/a/other").write_text("longer than it was")

    assert kept_code(workspace) == {
        checksum(tmp_path / "weights"): folder / "assets/a/weights",
    }


def test_without_history_no_code_is_kept(workspace: Workspace) -> None:
    assert kept_code(workspace) == {}


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


def test_the_input_of_a_run_is_in_its_entry_and_stays_as_it_was(
    save: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "given"
    (folder / "sub").mkdir(parents=True)
    (folder / "rows.csv").write_text("a\n1\n")
    (folder / "sub/b.png").write_bytes(b"b")
    (folder / "link").symlink_to("rows.csv")

    given, why = kept_input(folder, 1000)
    entry = save(given=given)
    (folder / "rows.csv").write_text("changed")

    assert why == ""
    assert sorted(each.name for each in given) == ["input/rows.csv", "input/sub/b.png"]
    assert (entry / "input/rows.csv").read_text() == "a\n1\n"
    assert damage(entry) == []


@pytest.mark.parametrize(
    ("size_mb", "most", "why"),
    [(0.00001, 1000, "more than a tenth of backup_size"), (1000, 1, "more than 1 files")],
)
def test_an_input_that_would_take_too_much_room_or_time_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size_mb: float, most: int, why: str
) -> None:
    monkeypatch.setattr(entry_module, "MOST_INPUTS", most)
    for name in "ab":
        (tmp_path / name).write_bytes(b"x")

    given, reported = kept_input(tmp_path, size_mb)

    assert (given, why in reported) == ((), True)


def test_artifacts_cannot_take_the_place_of_the_input(
    save: Callable[..., Path], artifacts: Path
) -> None:
    (artifacts / "input").mkdir()
    (artifacts / "input/odd").write_text("x")

    assert not (save() / "input").exists()


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
        "import sys; from pathlib import Path; from alo.history.entries.folders import building\n"
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
        keep_within(workspace, 1000, ())
        being_built = list(folder.glob(".run.*"))
        process.kill()

    assert len(being_built) == 1
    save()
    keep_within(workspace, 1000, ())
    assert list(folder.glob(".*")) == []


def test_a_copied_tree_has_the_same_files_and_none_of_them_is_shared(
    artifacts: Path, tmp_path: Path
) -> None:
    copy_tree(artifacts, tmp_path / "second/place")

    assert (tmp_path / "second/place/models/train/model").read_text() == "models/train/model"
    assert (artifacts / "models/train/model").stat().st_nlink == 1
    assert (tmp_path / "second/place/report").is_dir()
