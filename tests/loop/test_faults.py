"""What the machine does to the loop: it is said, and nothing is half done."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from tests.serve.http_api.test_app import Service
from tests.support.loop_project import LAX, Command, caller, review_results, write_loop_project
from tests.support.waiting import wait_until

from alo.history.browse import History
from alo.history.deployment import read_deployment
from alo.history.filters import Filters
from alo.history.pins import pins
from alo.history.promotions import promotions
from alo.layout import Workspace

Disk = Callable[..., Path]


@pytest.fixture
def home(make_solution: Callable[..., Path]) -> Path:
    return write_loop_project(make_solution)


@pytest.fixture
def command(home: Path, capfd: pytest.CaptureFixture[str]) -> Command:
    return caller(home, capfd)


@pytest.fixture
def disk(home: Path, mount: Callable[..., Path]) -> Disk:
    """``disk("datasets")``: put that folder of the project on a small disk."""

    def make(name: str, megabytes: int = 1) -> Path:
        return mount(home / name, "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", lazily=True)

    return make


def fill(folder: Path, left: int = 0) -> Path:
    """Write until nothing more can be written but some bytes; returns the file to remove."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    with path.open("rb+") as file:
        file.truncate(max(0, path.stat().st_size - left))
    return path


def decisions(home: Path, command: Command) -> Path:
    items = json.loads(command("review", "show", "r", "--json")[1])["items"]
    path = home / "said.csv"
    rows = (f"{each['record']},accept,{'n' * 900}" for each in items)
    path.write_text("\n".join(["record,verdict,note", *rows]))
    return path


@pytest.mark.parametrize("left", [0, 20_000, 60_000])
def test_a_review_on_a_full_disk_is_not_made_and_can_be_then(
    home: Path, command: Command, disk: Disk, left: int
) -> None:
    folder = disk("studio")
    assert command("run", "--quiet")[0] == 0
    assert command("review", "list")[0] == 0
    filler = fill(folder, left)
    words = ("review", "new", "r", "--random", "100", "--key", "id")

    status, _, err = command(*words)

    filler.unlink()
    if status:
        assert "full" in err or "No space left" in err
        assert pins(Workspace(home)) == {}
        assert json.loads(command("review", "list", "--json")[1]) == []
        assert command(*words)[0] == 0
    assert len(json.loads(command("review", "show", "r", "--json")[1])["items"]) == 100


@pytest.mark.parametrize("left", [0, 40_000])
def test_decisions_on_a_full_disk_are_refused_all_and_stored_once_then(
    home: Path, command: Command, disk: Disk, left: int
) -> None:
    folder = disk("studio")
    assert command("run", "--quiet")[0] == 0
    assert command("review", "new", "r", "--random", "100", "--key", "id")[0] == 0
    said = decisions(home, command)
    filler = fill(folder, left)

    status, _, err = command("review", "decide", "r", "--from", str(said))

    assert (status in (1, 2), "the disk is full" in err) == (True, True), err
    filler.unlink()
    states = {
        each["state"] for each in json.loads(command("review", "show", "r", "--json")[1])["items"]
    }
    assert states == {"undecided"}
    assert command("review", "decide", "r", "--from", str(said))[:2] == (0, "100 saved\n")


@pytest.mark.parametrize("left", [0, 4_096, 20_000])
def test_a_review_that_closes_on_a_full_disk_stays_open_with_its_runs(
    home: Path, command: Command, disk: Disk, left: int
) -> None:
    folder = disk("studio")
    review_results(home)
    held = pins(Workspace(home))
    filler = fill(folder, left)

    status, _, err = command("review", "close", "r")

    assert (status in (1, 2), "full" in err or "No space left" in err) == (True, True), err
    filler.unlink()
    assert pins(Workspace(home)) == held
    assert command("review", "close", "r")[0] == 0
    assert pins(Workspace(home)) == {}


@pytest.mark.parametrize("left", [0, 8_192, 24_576])
def test_a_data_set_on_a_full_disk_is_absent(
    home: Path, command: Command, disk: Disk, left: int
) -> None:
    folder = disk("datasets")
    review_results(home)
    filler = fill(folder, left)

    status, _, err = command("dataset", "make", "d", "--review", "r")

    assert (status, "No space left" in err or "full" in err) == (1, True), err
    filler.unlink()
    assert list(folder.glob("d/v*")) == list(folder.glob("d/.new-*")) == []
    assert command("dataset", "make", "d", "--review", "r")[0] == 0
    assert command("dataset", "verify")[0] == 0


@pytest.mark.parametrize("left", [0, 1_200_000, 1_400_000])
def test_retraining_on_a_full_disk_leaves_the_model_and_the_history_as_they_were(
    home: Path, command: Command, disk: Disk, left: int
) -> None:
    review_results(home)
    assert command("dataset", "make", "d", "--review", "r")[0] == 0
    (home / ".alo").rename(home / "before")
    folder = disk(".alo", 64)
    before = current_models(home)
    filler = fill(folder, left)

    status, _, err = command("retrain", "--dataset", "d", *LAX)

    filler.unlink()
    assert current_models(home) == before
    assert command("history", "verify")[0] == 0
    if status != 0:
        assert (status, "full" in err or "No space left" in err) == (1, True), err
        assert list(folder.glob("rerun-*")) == []
    reported = command("retrain", "--dataset", "d", *LAX)
    assert reported[0] in (0, 3), reported


@pytest.mark.parametrize("left", [0, 4_096, 8_192])
def test_a_model_on_a_full_disk_is_deployed_and_in_the_log_or_neither(
    home: Path, command: Command, disk: Disk, left: int
) -> None:
    assert command("run", "--quiet")[0] == 0
    (old,) = (each.id for each in History(Workspace(home)).list(Filters("train"), None))
    (home / "solution").rename(home / "before")
    folder = disk("solution")
    shutil.copytree(home / "before", folder, dirs_exist_ok=True)
    filler = fill(folder, left)

    status, out, err = command("deploy", old)

    filler.unlink()
    assert (status == 0) == (read_deployment(Workspace(home)).run == old)
    assert [each.run for each in promotions(Workspace(home))] == ([] if status else [old])
    assert (status in (0, 1), "Traceback" in out + err) == (True, False), err
    if status:
        assert "full" in err or "No space left" in err, err
    assert command("deploy", old)[0] == 0
    assert [each.run for each in promotions(Workspace(home))] == [old]
    assert command("deploy", "--rollback")[0] in (0, 2)
    logged = json.loads(command("models", "log", "--json")[1])
    assert logged[0]["run"] == old


@pytest.mark.parametrize(("how", "why"), [("refuse", "does not answer"), ("sleep", "2 s")])
def test_a_candidate_that_the_gate_passes_and_the_service_refuses_answers_nobody(
    home: Path, command: Command, how: str, why: str
) -> None:
    review_results(home)
    assert command("dataset", "make", "d", "--review", "r")[0] == 0
    (home / "solution/smoke").mkdir()
    (home / "solution/smoke/sample.csv").write_text("id,x\nsample,1\n")
    assert command("deploy")[0] == 0
    service = Service(home, "--request-timeout", "2")
    try:
        words = ("--set", f"train.how={how}", "--deploy", "--json")
        status, out, err = command("retrain", "--dataset", "d", *LAX, *words)
        assert status == 0, err
        run = json.loads(out)["run"]

        wait_until(lambda: "the model stays as it is" in service.log.read_text())

        reported = json.loads(command("deploy", "--status", "--json")[1])
        assert reported["checks"][run]["verdict"] == "failed"
        assert why in reported["checks"][run]["reason"]
        assert reported["in_use"] == reported["previous"] != run
        assert [each.run for each in promotions(Workspace(home))][-1] == run
        assert command("deploy", "--rollback")[0] == 0
    finally:
        service.close()


@pytest.mark.parametrize("folder", [".alo", "datasets/d"])
def test_what_is_deleted_while_a_candidate_is_trained_costs_that_candidate_alone(
    home: Path, command: Command, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    review_results(home)
    assert command("dataset", "make", "d", "--review", "r")[0] == 0
    before = current_models(home)
    for path in (home / "datasets").rglob("*"):
        path.chmod(0o755)
    shutil.copytree(home / "datasets", home / "kept")
    monkeypatch.setenv("RETRAIN_WIPES", str(home / folder))

    status, out, err = command("retrain", "--dataset", "d", *LAX, "--set", "train.how=wipe")

    assert (status, "Traceback" in out + err) == (1, False), (out, err)
    assert current_models(home) == before
    assert command("history", "verify")[0] == 0
    if not (home / "datasets/d").exists():
        (home / "kept/d").rename(home / "datasets/d")
    assert command("retrain", "--dataset", "d", *LAX)[0] in (0, 3)


@pytest.mark.parametrize("lost", ["output", "input", "."])
def test_a_run_that_is_deleted_by_hand_costs_its_own_records_and_says_so(
    home: Path, command: Command, lost: str
) -> None:
    review_results(home)
    (run,) = History(Workspace(home)).list(Filters(pipeline="inference"), None)
    entry = home / "history/inference" / run.id
    shutil.rmtree(entry / lost)

    status, out, err = command("dataset", "make", "d", "--review", "r")

    assert (status, run.id in err) == (1, True), (out, err)
    assert not list((home / "datasets").glob("d/v*"))
    assert json.loads(command("review", "accuracy", "r", "--json")[1])["enough"]
    assert len(json.loads(command("review", "show", "r", "--json")[1])["items"]) == 100


def current_models(home: Path) -> dict[Path, bytes]:
    models = home / "train_artifacts/models"
    return {path: path.read_bytes() for path in models.rglob("*") if path.is_file()}
