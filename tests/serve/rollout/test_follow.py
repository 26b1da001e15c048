"""A new model takes over without a stop, only if it can answer; the one before is a step away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alo.errors import ServeError
from alo.events.types import Event, LogLine
from alo.files import alone_with, remove_tree
from alo.history.deployment import CURRENT, FAILED, PASSED, change_deployment, read_deployment
from alo.history.models_origin import EXTERNAL_MODEL
from alo.layout import Workspace
from alo.serve.folders import make_folder
from alo.serve.rollout.follow import Changes
from alo.workers.protocol import Request

from ...waiting import PATIENCE_S, wait_until
from ..conftest import Edge, RunningLoop
from ..http_api.test_app import Service
from .conftest import StandIn, result, status

MakeSolution = Callable[..., Path]
Alo = Callable[..., Any]
Run = Callable[..., Any]


def test_a_deployed_model_takes_over_while_the_service_answers(
    home: Path, trained: dict[str, str], service: Service, alo: Alo
) -> None:
    assert result(service) == "one"

    shown = alo("deploy", trained["two"], cwd=home)

    assert f"deployed  {trained['two']}" in shown.stdout
    answers: list[str] = []
    wait_until(lambda: answers.append(result(service)) or answers[-1] == "two")
    assert set(answers) <= {"one", "two"}
    wait_until(lambda: {result(service) for _ in range(4)} == {"two"})
    assert f'model_id="{trained["two"]}"' in service.client.get("/metrics").text

    assert alo("deploy", "--rollback", cwd=home).returncode == 0

    wait_until(lambda: {result(service) for _ in range(4)} == {"one"})
    deployment = read_deployment(Workspace(home))
    assert (deployment.run, deployment.before) == (trained["one"], trained["two"])


def test_a_model_that_fails_the_check_is_never_switched_to(
    home: Path, trained: dict[str, str], service: Service, alo: Alo
) -> None:
    assert result(service) == "one"

    alo("deploy", trained["broken"], cwd=home)

    wait_until(lambda: "the model stays as it is" in service.log.read_text())
    assert "a model of no use" in service.log.read_text()
    assert {result(service) for _ in range(4)} == {"one"}


def test_the_sample_of_the_project_is_what_a_model_has_to_answer(
    home: Path, trained: dict[str, str], service: Service, alo: Alo
) -> None:
    (home / "solution/smoke").mkdir()
    (home / "solution/smoke/x.csv").write_text("a\n1\n")

    alo("deploy", trained["broken"], cwd=home)

    wait_until(lambda: "the check failed" in service.log.read_text())
    assert result(service) == "one"


def test_a_loop_follows_too_and_starts_with_what_is_deployed(
    home: Path,
    trained: dict[str, str],
    loop: Callable[..., RunningLoop],
    edge: Edge,
    alo: Alo,
) -> None:
    alo("deploy", trained["two"], cwd=home)
    running = loop(home)
    assert edge.ask()[0]["message"]["result"] == "two"

    (edge.data / "x.csv").unlink()  # as edge applications do; there is nothing to check with
    edge.data.rmdir()
    alo("deploy", trained["one"], cwd=home)

    running.wait_until(f"the model of run {trained['one']} is in use")
    edge.data.mkdir()
    (edge.data / "x.csv").write_text("a\n1\n")
    assert edge.ask()[0]["message"]["result"] == "one"


def test_without_a_choice_the_current_model_is_taken_and_can_be_deployed(
    home: Path, trained: dict[str, str], alo: Alo
) -> None:
    shown = alo("deploy", "--status", cwd=home)
    assert "the current model of the workspace" in shown.stdout

    alo("deploy", cwd=home)

    assert read_deployment(Workspace(home)).run == trained["broken"]
    again = alo("deploy", "--rollback", cwd=home)
    assert again.returncode == 2
    assert "there is nothing to go back to" in again.stderr


def test_what_is_deployed_stays_in_history(
    home: Path, trained: dict[str, str], run: Run, alo: Alo
) -> None:
    alo("deploy", trained["one"], cwd=home)
    plan = home / "solution/experimental_plan.yaml"
    plan.write_text(plan.read_text().replace('"backup_artifacts": true', '"backup_size": 0'))

    run(home, mode="train")

    left = {path.name for path in (home / "history/train").iterdir()}
    assert trained["one"] in left
    assert trained["two"] not in left


def add_smoke(home: Path) -> None:
    (home / "solution/smoke").mkdir()
    (home / "solution/smoke/x.csv").write_text("a\n1\n")


def test_a_failed_model_is_not_used_by_a_later_start_either_and_the_status_says_why(
    home: Path, trained: dict[str, str], service: Service, start: Callable[..., Service], alo: Alo
) -> None:
    assert result(service) == "one"
    refused = alo("deploy", trained["broken"], "--wait", cwd=home)
    assert refused.returncode == 1
    assert "a model of no use" in refused.stderr
    assert "a model of no use" in alo("deploy", "--status", cwd=home).stdout

    service.process.terminate()
    service.process.wait(PATIENCE_S)
    later = start()

    assert result(later) == "one"
    assert status(home, alo)["in_use"] == trained["one"]
    assert status(home, alo)["checks"][trained["broken"]]["verdict"] == "failed"


def test_a_model_chosen_while_nothing_runs_is_checked_by_the_next_start(
    home: Path, trained: dict[str, str], start: Callable[..., Service], alo: Alo
) -> None:
    add_smoke(home)
    alo("deploy", trained["one"], cwd=home)
    alo("deploy", trained["broken"], cwd=home)

    service = start("--workers", "2")

    assert {result(service) for _ in range(4)} == {"one"}
    assert "is not used" in service.log.read_text()
    assert status(home, alo)["checks"][trained["broken"]]["verdict"] == "failed"


def test_a_service_without_any_model_that_answers_says_so_and_ends(
    home: Path, trained: dict[str, str], alo: Alo
) -> None:
    add_smoke(home)
    alo("deploy", trained["broken"], cwd=home)

    first = alo("serve", "--port", "0", cwd=home)
    again = alo("serve", "--port", "0", cwd=home)

    assert (first.returncode, again.returncode) == (1, 1)
    assert "the check failed" in first.stderr
    assert "has failed its check" in again.stderr


def test_a_failed_model_is_tried_again_when_it_is_chosen_again(
    home: Path, trained: dict[str, str], service: Service, alo: Alo
) -> None:
    add_smoke(home)
    assert alo("deploy", trained["broken"], "--wait", cwd=home).returncode == 1
    (home / "history/train" / trained["broken"] / "models/train/m").chmod(0o600)
    (home / "history/train" / trained["broken"] / "models/train/m").write_text("mended")

    assert alo("deploy", trained["broken"], "--wait", cwd=home).returncode == 0
    assert result(service) == "mended"


def test_the_first_deployment_can_be_rolled_back_to_what_the_services_used(
    home: Path, trained: dict[str, str], run: Run, start: Callable[..., Service], alo: Alo
) -> None:
    (used,) = run(home, mode="train", overrides=("train.word=first",))
    service = start()
    assert result(service) == "first"
    run(home, mode="train", overrides=("train.word=newer",))

    assert alo("deploy", trained["two"], "--wait", cwd=home).returncode == 0
    assert result(service) == "two"
    back = alo("deploy", "--rollback", "--wait", cwd=home)

    assert back.returncode == 0, back.stderr
    assert result(service) == "first"
    assert status(home, alo)["run"] == used.run_id


def test_a_first_deployment_over_a_model_of_no_run_is_rolled_back_to_the_workspaces_model(
    home: Path, trained: dict[str, str], start: Callable[..., Service], alo: Alo
) -> None:
    (home / "train_artifacts/models/train/m").write_text("by hand")
    service = start()
    assert result(service) == "by hand"

    assert alo("deploy", trained["two"], "--wait", cwd=home).returncode == 0
    assert read_deployment(Workspace(home)).before == CURRENT
    back = alo("deploy", "--rollback", cwd=home)

    assert back.returncode == 0, back.stderr
    wait_until(lambda: result(service) == "by hand")


def test_a_process_that_keeps_the_choice_locked_holds_up_no_service(
    home: Path, service: Service
) -> None:
    with alone_with(home / "solution"):  # as `alo deploy` does that was stopped by Ctrl-Z
        assert service.end() == 0

    assert "deployment.json cannot be written: " in service.log.read_text()


class Followed:
    """What follows the choice of the model, with workers that have no process.

    The models ``one``, ``two`` and ``broken`` are in history.
    """

    broken: tuple[str, ...] = ("broken",)

    def __init__(self, home: Path) -> None:
        self.workspace, self.events = Workspace(home), list[Event]()
        for name in ("one", "two", "broken"):
            (home / "history/train" / name / "models").mkdir(parents=True)
            (home / "history/train" / name / "models/m").write_text(name)
        (home / "solution/smoke").mkdir(parents=True)
        self.folder = make_folder(self.workspace, "serve")

    def boot(self, model_id: str = "one", models: Path | None = None) -> Changes:
        """A service with two workers that has booted with a model."""
        job: Any = type("Job", (), {"workspace": self.workspace})
        models = models or self.models(model_id)
        self.workers = [StandIn(model_id, broken=self.broken)]
        self.workers.append(self.workers[0].sibling(models, model_id))
        service: Any = type(
            "Service",
            (),
            {"job": job, "models": models, "model_id": model_id, "folder": self.folder},
        )
        workers: Any = self.workers
        self.changes = Changes(service, workers, None, self.events.append)
        for worker in workers:
            self.changes.booted(worker)
        return self.changes

    def models(self, model_id: str) -> Path:
        return self.workspace.home / "history/train" / model_id / "models"

    def choose(self, run_id: str, used: str = "one") -> None:
        change_deployment(self.workspace, lambda now: now.choose(run_id, "me", used))

    @property
    def used(self) -> list[str]:
        return [worker.model_id for worker in self.workers]

    @property
    def did(self) -> list[tuple[str, str]]:
        return self.workers[0].did

    @property
    def said(self) -> str:
        return " ".join(event.text for event in self.events if isinstance(event, LogLine))

    def verdict(self, run_id: str) -> str:
        return read_deployment(self.workspace).check_of(run_id).verdict


@pytest.fixture
def followed(tmp_path: Path) -> Iterator[Followed]:
    made = Followed(tmp_path)
    yield made
    made.folder.remove()


def test_the_model_of_the_boot_is_checked_once_and_recorded(followed: Followed) -> None:
    followed.boot("one")

    assert followed.did == [("check", "one")]
    assert followed.verdict("one") == PASSED
    assert read_deployment(followed.workspace).services[followed.folder.name].run == "one"


def test_a_worker_that_has_booted_with_a_model_that_failed_gets_the_one_before(
    followed: Followed,
) -> None:
    followed.choose("broken")

    followed.boot("broken")

    assert followed.used == ["one", "one"]
    assert followed.verdict("broken") == FAILED
    assert "the model of run broken is not used" in followed.said


def test_a_boot_without_any_good_model_fails_with_what_the_check_said(followed: Followed) -> None:
    followed.broken = ("broken", "none")  # the second is that of the workspace, without any

    with pytest.raises(ServeError, match="of no use"):
        followed.boot("broken")

    assert followed.verdict("broken") == FAILED


def test_all_workers_switch_or_none_and_the_siblings_of_a_failure_end(followed: Followed) -> None:
    changes = followed.boot()
    followed.choose("two")
    changes._look()
    assert followed.used == ["two", "two"]

    followed.choose("broken", used="two")
    changes._look()

    assert followed.used == ["two", "two"]
    assert followed.did[-3:] == [("start", "broken"), ("check", "broken"), ("stop", "broken")]
    assert "the model stays as it is: the check failed" in followed.said
    assert followed.verdict("broken") == FAILED


def test_a_choice_that_has_failed_with_no_way_back_changes_nothing(followed: Followed) -> None:
    changes = followed.boot()
    change_deployment(followed.workspace, lambda now: now.choose("broken", "me", ""))
    change_deployment(followed.workspace, lambda now: now.checked("broken", FAILED, "x"))
    before = list(followed.did)

    changes._look()

    assert (followed.used, followed.did) == (["one", "one"], before)


def test_a_choice_that_cannot_be_read_leaves_the_model_as_it_is(followed: Followed) -> None:
    changes = followed.boot()
    (followed.workspace.home / "solution/deployment.json").write_text("{")

    changes._look()

    assert followed.used == ["one", "one"]
    assert "the model stays as it is" in followed.said
    assert "the shadow stays as it is" in followed.said


def test_a_fault_in_following_is_reported_and_following_continues(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alo.serve.rollout.follow.LOOK_S", 0.01)
    changes = followed.boot()
    look, looks = changes._look, list[int]()

    def looked() -> None:
        looks.append(1)
        if len(looks) == 1:
            raise RuntimeError("a fault of ours")
        look()

    monkeypatch.setattr(changes, "_look", looked)
    followed.choose("two")
    changes.start()

    wait_until(lambda: followed.used == ["two", "two"])
    assert "cannot be followed: RuntimeError" in followed.said
    changes.stop()
    assert read_deployment(followed.workspace).services == {}


def test_the_shadow_comes_changes_and_goes_as_it_is_chosen(followed: Followed) -> None:
    changes = followed.boot()

    for shadow in ("two", "one", ""):
        change_deployment(followed.workspace, lambda now, to=shadow: now._replace(shadow=to))
        changes._look()
    changes.stop()

    deeds = [deed for deed in followed.did if deed[0] != "check"]
    assert sorted(deeds) == [("start", "one"), ("start", "two"), ("stop", "one"), ("stop", "two")]
    assert followed.used == ["one", "one"]


def test_a_shadow_sees_each_request_and_ends_with_the_service(followed: Followed) -> None:
    changes = followed.boot()
    change_deployment(followed.workspace, lambda now: now._replace(shadow="two"))
    changes._look()

    for name in ("a", "b"):
        assert changes.wants_sample
        changes.went_well(Request(name), {"result": "x"}, takes_data=False)

    shadowed = followed.workspace.internal / "shadow.jsonl"
    wait_until(lambda: shadowed.exists() and shadowed.read_text().count("\n") == 2)
    changes.stop()
    assert followed.did[-1] == ("stop", "two")


def test_without_a_shadow_one_request_in_a_while_is_kept_as_a_sample(followed: Followed) -> None:
    changes = followed.boot()
    wanted = []

    for name in ("a", "b"):
        wanted.append(changes.wants_sample)
        changes.went_well(Request(name), {}, takes_data=False)

    assert wanted == [True, False]
    (kept,) = (followed.workspace.internal / "samples").iterdir()
    assert kept.name.startswith("a-")


def test_a_model_that_is_gone_with_the_internal_folder_is_made_from_what_is_left(
    followed: Followed,
) -> None:
    home = followed.workspace.home
    (home / "train_artifacts/models").mkdir(parents=True)
    (home / "train_artifacts/models/m").write_text("by hand")
    pinned = followed.folder.pin(home / "train_artifacts/models")
    changes = followed.boot("none", pinned)
    remove_tree(home / ".alo")

    worker: Any = followed.workers[0]
    changes.restore(worker)

    assert worker.models != pinned
    assert (worker.models / "m").read_text() == "by hand"


def test_a_loaded_model_that_is_gone_is_said_to_need_a_new_start(followed: Followed) -> None:
    loaded = followed.folder.path / "models"
    loaded.mkdir()
    changes = followed.boot(EXTERNAL_MODEL, loaded)
    remove_tree(followed.workspace.home / ".alo")

    worker: Any = followed.workers[0]
    with pytest.raises(ServeError, match="is gone with the folder"):
        changes.restore(worker)


def test_a_model_that_is_there_is_used_again_as_it_is(followed: Followed) -> None:
    changes = followed.boot()

    worker: Any = followed.workers[0]
    changes.restore(worker)

    assert worker.models == followed.models("one")


def test_a_choice_that_cannot_be_written_stops_no_service(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    (followed.workspace.home / "solution/deployment.json").write_text("{")

    followed.boot()

    assert followed.used == ["one", "one"]
    assert "deployment.json cannot be written" in followed.said


def test_a_model_of_no_run_is_checked_and_its_verdict_is_of_no_run(followed: Followed) -> None:
    followed.boot("none", followed.models("one"))

    assert ("check", "none") in followed.did
    assert read_deployment(followed.workspace).checks == {}


def test_a_service_that_was_killed_is_forgotten_by_the_next_that_records(
    followed: Followed,
) -> None:
    change_deployment(followed.workspace, lambda now: now.used_by("serve-0123456789ab", "two"))

    followed.boot()

    assert list(read_deployment(followed.workspace).services) == [followed.folder.name]
