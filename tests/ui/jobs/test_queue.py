"""Jobs: one at a time, in order, none lost or doubled, whatever becomes of the studio."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from tests.support.waiting import wait_until
from tests.ui.conftest import MakeStudio

from alo.ui.jobs.job import Job
from alo.ui.jobs.progress import RunReader
from alo.ui.jobs.queue import Jobs
from alo.ui.problems import UiError
from alo.ui.studio import Studio

QUICK = ["--version"]


def ended(jobs: Jobs, job: Job) -> Job:
    """The job once it has ended."""

    def is_over() -> bool:
        jobs.look()
        return not jobs.find(job.id).is_open

    wait_until(is_over)
    return jobs.find(job.id)


def run_of(*words: str) -> list[str]:
    return ["run", "--mode", "train", "--json", *words]


def test_a_job_runs_and_knows_its_run(studio: Studio) -> None:
    job = studio.jobs.add(run_of(), "train", "ada")
    assert (job.state, job.by) == ("queued", "ada")

    over = ended(studio.jobs, job)

    assert (over.state, over.exit_status) == ("success", 0)
    assert studio.history.look_up(over.run).status == "success"


def test_a_run_that_fails_is_a_job_with_an_error(studio: Studio) -> None:
    over = ended(studio.jobs, studio.jobs.add(run_of("--set", "train.x=13"), "train", "ada"))

    assert (over.state, over.exit_status) == ("error", 1)
    assert studio.history.look_up(over.run).status == "error"


def test_the_same_key_twice_is_one_job(studio: Studio) -> None:
    first = studio.jobs.add(run_of(), "train", "ada", key="k")

    assert studio.jobs.add(run_of(), "train", "ada", key="k") == first
    assert studio.jobs.add(run_of(), "train", "ada").id != first.id


def test_a_form_that_was_changed_after_it_was_sent_is_another_job(studio: Studio) -> None:
    first = studio.jobs.add(run_of(), "train", "ada", key="k", is_form=True)
    other = run_of("--set", "train.x=7")
    changed = studio.jobs.add(other, "train", "ada", key="k", is_form=True)

    assert changed.command != first.command
    assert studio.jobs.add(other, "train", "ada", key="k", is_form=True) == changed


def test_the_key_of_a_script_is_one_job_whatever_else_it_says_and_of_another_command_another(
    studio: Studio,
) -> None:
    first = studio.jobs.add(run_of(), "train", "ada", key="k")

    assert studio.jobs.add(run_of("--set", "train.x=7"), "train", "ada", key="k") == first
    assert studio.jobs.add(["dataset", "make", "d"], "", "ada", key="k").id != first.id


def test_one_runs_at_a_time_in_the_order_of_the_queue(studio: Studio) -> None:
    jobs = [studio.jobs.add(run_of(), "train", "ada") for _ in range(2)]

    studio.jobs.look()
    studio.jobs.look()

    assert [studio.jobs.find(job.id).state for job in jobs] == ["running", "queued"]
    assert ended(studio.jobs, jobs[1]).state == "success"


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_jobs_are_the_same_in_both_databases(
    make_studio: MakeStudio, request: pytest.FixtureRequest, database: str
) -> None:
    url = request.getfixturevalue("postgres").new_database() if database == "postgres" else ""
    first, second = (make_studio(database_url=url).jobs for _ in range(2))
    job = first.add(QUICK, "train", "ada", key="k")

    assert second.add(QUICK, "train", "eve", key="k") == job
    other = second.add(QUICK, "train", "eve")
    assert second.cancel(other.id, "eve").state == "cancelled"
    assert ended(second, job).state != "queued"
    assert [each.id for each in first.list()] == [other.id, job.id]
    assert [each.id for each in first.list(below=other.number)] == [job.id]
    assert (first.count, list(first.open())) == (2, [])


def test_a_job_in_the_queue_is_cancelled_at_once(studio: Studio) -> None:
    job = studio.jobs.add(run_of(), "train", "ada")

    assert studio.jobs.cancel(job.id, "ada").state == "cancelled"
    with pytest.raises(UiError, match="has ended") as reported:
        studio.jobs.cancel(job.id, "ada")
    assert reported.value.status == 409


def test_a_job_that_runs_is_interrupted_in_order(studio: Studio, home: Path) -> None:
    asset = home / "assets/train/asset_train.py"
    asset.write_text(asset.read_text().replace("print(", "import time; time.sleep(600); print("))
    job = studio.jobs.add(run_of(), "train", "ada")

    def has_run() -> bool:
        studio.jobs.look()
        return bool(studio.jobs.find(job.id).run)

    wait_until(has_run)
    studio.jobs.cancel(job.id, "eve")
    over = ended(studio.jobs, job)

    assert (over.state, over.exit_status) == ("cancelled", 130)
    assert studio.history.look_up(over.run).status == "interrupted"
    assert [each.act for each in studio.audit.changes()] == ["cancel", "run"]


def test_a_job_outlives_its_studio_and_the_next_one_finds_it(studio: Studio) -> None:
    job = studio.jobs.add(run_of(), "train", "ada")
    studio.jobs.look()

    other = Jobs(studio.workspace, studio.database)

    assert ended(other, job).state == "success"


@pytest.mark.parametrize("left", [[], ["lock"], ["lock", "command"], ["lock", "events.jsonl"]])
def test_a_job_that_was_killed_before_its_command_began_is_started_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, left: list[str]
) -> None:
    job = studio.jobs.add(run_of(), "train", "ada")
    with monkeypatch.context() as patch:
        patch.setattr(Jobs, "_start", lambda self, job: None)  # as if killed at this very line
        studio.jobs.look()
    assert studio.jobs.find(job.id).state == "running"
    studio.jobs.folder(job).make()
    for name in left:
        (studio.jobs.folder(job).path / name).touch()

    assert ended(Jobs(studio.workspace, studio.database), job).state == "success"


def test_two_processes_for_one_job_run_it_once(studio: Studio) -> None:
    job = studio.jobs.add(run_of(), "train", "ada")
    studio.jobs.look()
    studio.jobs._start(job)

    assert ended(studio.jobs, job).state == "success"
    reader = RunReader(studio.jobs.folder(job), job.command, studio.workspace.home)
    assert len(reader.runs) == 1


@pytest.fixture
def gate(home: Path) -> Path:
    """The train step waits until this is there; what it finds there is a fault, or nothing."""
    gate = home / "gate"
    wait = f"import os, time\n        while not os.path.exists({str(gate)!r}): time.sleep(0.02)"
    asset = home / "assets/train/asset_train.py"
    asset.write_text(asset.read_text().replace('print("depth", x)', wait))
    return gate


def orphaned(jobs: Jobs, *words: str) -> Job:
    """A job whose run is in progress, and whose supervisor was killed."""
    job = jobs.add(run_of(*words), "train", "ada")

    def has_run() -> bool:
        jobs.look()
        return bool(jobs.find(job.id).run)

    wait_until(has_run)
    (supervisor,) = processes_of(job.id)
    os.kill(supervisor, signal.SIGKILL)
    return job


def test_a_job_whose_supervisor_was_killed_is_found_again_by_its_run(
    studio: Studio, gate: Path
) -> None:
    job = orphaned(studio.jobs)
    following = studio.jobs.add(run_of(), "train", "ada")
    wait_until(lambda: studio.jobs.look() or studio.jobs.folder(job).has_supervisor)
    assert [studio.jobs.find(each.id).state for each in (job, following)] == ["running", "queued"]

    gate.touch()

    over = ended(studio.jobs, job)
    assert (over.state, over.exit_status) == ("success", 0)
    assert studio.history.look_up(over.run).status == "success"
    assert ended(studio.jobs, following).state == "success"


def test_of_a_job_without_a_supervisor_a_failure_is_known(studio: Studio, gate: Path) -> None:
    job = orphaned(studio.jobs, "--set", "train.x=13")

    gate.touch()

    over = ended(studio.jobs, job)
    assert (over.state, over.exit_status) == ("error", 1)


def test_a_job_without_a_supervisor_can_be_cancelled(studio: Studio, gate: Path) -> None:
    job = orphaned(studio.jobs)

    studio.jobs.cancel(job.id, "eve")

    over = ended(studio.jobs, job)
    assert over.state == "cancelled"
    assert studio.history.look_up(over.run).status == "interrupted"


def test_a_job_all_of_whose_processes_were_killed_is_an_error_and_the_next_one_runs(
    studio: Studio, home: Path, gate: Path
) -> None:
    job = orphaned(studio.jobs)
    following = studio.jobs.add(run_of(), "train", "ada")
    for pid in processes_of(str(home)):
        os.kill(pid, signal.SIGKILL)
    gate.touch()

    over = ended(studio.jobs, job)

    assert (over.state, over.exit_status) == ("error", None)
    assert ended(studio.jobs, following).state == "success"


def processes_of(word: str) -> list[int]:
    """The processes that have a word on their command line; this one apart."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if word.encode() in words and int(path.parent.name) != os.getpid():
            found.append(int(path.parent.name))
    return found
