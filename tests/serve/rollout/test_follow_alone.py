"""What follows the choice of the model, with workers that have no process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alo.errors import ServeError
from alo.events.types import Event, LogLine
from alo.files import remove_tree
from alo.history.deployment import FAILED, PASSED, change_deployment, read_deployment
from alo.history.models_origin import EXTERNAL_MODEL
from alo.layout import Workspace
from alo.serve.folders import make_folder
from alo.serve.rollout.follow import CHECK_S, Changes
from alo.workers.protocol import Request

from ...support.waiting import wait_until
from .conftest import StandIn


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


def test_a_check_ends_in_time_even_where_requests_may_take_any(followed: Followed) -> None:
    followed.boot("one")

    assert followed.workers[0].checked_within_s == CHECK_S


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
