"""The queue of jobs: one at a time in a workspace, in the order in which they were asked for.

Jobs are rows of the studio's database, and each that has begun has a process and a folder of its
own, which outlive the studio. A studio that starts finds them again: what is in the folder says
what has become of the job, and claims whether somebody follows it.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from time import monotonic

from alo.database.audit import COMMAND, add_change
from alo.database.connection import Connection, Database, Row
from alo.events.log_lines import error as error_line
from alo.events.types import Listener
from alo.history.ids import utc_now
from alo.layout import Workspace
from alo.ui.jobs.folder import JobFolder, python_running
from alo.ui.jobs.job import (
    CANCELLED,
    DATASET,
    ERROR,
    HELD_STATUS,
    OPEN,
    QUEUED,
    RETRAIN,
    REVIEW,
    RUN,
    RUNNING,
    SUCCESS,
    Job,
)
from alo.ui.jobs.progress import ProgressReader, reader_of
from alo.ui.problems import UiError, not_found
from alo.ui.settings import DATABASE_VARIABLE, PERSON_VARIABLE

LOOK_S = 0.5
STARTING_S = 30.0  # that a supervisor may take until it follows its job
AGAIN_S = 2.0  # from one supervisor that ends at once to the next
INTERRUPTED = (130, 143)  # exit statuses of a run that a signal has ended
ACTS = {
    RUN: "run",
    DATASET: "make-dataset",
    RETRAIN: "retrain",
    REVIEW: "make-review",
}  # in the audit
_COLUMNS = (
    "number, id, state, command, pipeline, person, queued, started, ended, exit_status, run, made"
)
_OPEN_JOBS = f"SELECT {_COLUMNS} FROM jobs WHERE state IN (?, ?) ORDER BY number"  # noqa: S608


class Jobs:
    """The jobs of one project."""

    def __init__(self, workspace: Workspace, database: Database, database_url: str = "") -> None:
        self._workspace, self._database = workspace, database
        self._database_url = database_url
        self._folder = workspace.studio
        self._wake = threading.Event()
        self._tries: dict[str, float] = {}  # job → when this studio last started a supervisor
        self._readers: dict[str, ProgressReader] = {}  # of the jobs that run
        self._supervisors: dict[int, str] = {}  # their processes → the job of each

    def add(
        self,
        command: Sequence[str],
        pipeline: str,
        by: str,
        key: str = "",
        *,
        is_form: bool = False,
    ) -> Job:
        """Queue a command.

        Args:
            command: the words after ``alo``.
            key: of the request: the same one twice for the same command, such as run, is one job.
            is_form: a page has sent it: somebody may have gone back to the form and changed it,
                which makes another job.
        """
        if key:
            identity = [key, *(command if is_form else command[:1])]
            key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()
        with self._database.transaction() as rows:
            known = rows.execute("SELECT id FROM jobs WHERE key = ?", (key,)) if key else []
            if known:
                return self._find(rows, known[0][0])
            job_id = os.urandom(6).hex()
            rows.execute(
                "INSERT INTO jobs (id, key, state, command, pipeline, person, queued, started,"
                " ended, run) VALUES (?, ?, ?, ?, ?, ?, ?, '', '', '')",
                (job_id, key or None, QUEUED, json.dumps(command), pipeline, by, utc_now()),
            )
            act = ACTS.get(command[0], command[0])
            add_change(rows, by, act, job_id, after={COMMAND: ["alo", *command]})
            job = self._find(rows, job_id)
        self._wake.set()
        return job

    def find(self, job_id: str) -> Job:
        """One job.

        Raises:
            UiError: 404.
        """
        rows = self._database.read(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (job_id,))  # noqa: S608
        if not rows:
            raise not_found(f"there is no job '{job_id}'", fix="/jobs lists them")
        return _job(rows[0])

    def list(self, below: int = 0, limit: int = 50) -> Sequence[Job]:
        """The newest first.

        Args:
            below: only those with a smaller number; 0: all.
        """
        condition, values = ("WHERE number < ?", (below,)) if below else ("", ())
        query = f"SELECT {_COLUMNS} FROM jobs {condition} ORDER BY number DESC LIMIT ?"  # noqa: S608
        return [_job(row) for row in self._database.read(query, (*values, limit))]

    def open(self) -> Sequence[Job]:
        """Those that have not ended, the first of the queue first."""
        return [_job(row) for row in self._database.read(_OPEN_JOBS, OPEN)]

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self._database.read("SELECT count(*) FROM jobs")[0][0])

    def folder(self, job: Job) -> JobFolder:
        """Where its process writes."""
        return JobFolder(self._folder, job.id)

    def cancel(self, job_id: str, by: str) -> Job:
        """End a job: one in the queue at once, one that runs by signals.

        Raises:
            UiError: 404; 409: it has ended.
        """
        with self._database.transaction() as rows:
            job = self._find(rows, job_id)
            if not job.is_open:
                raise UiError(409, f"job {job_id} has ended: {job.state}")
            if job.state == QUEUED:
                self._set(rows, job, CANCELLED, ended=utc_now())
            else:
                self.folder(job).ask_to_cancel()
            add_change(rows, by, "cancel", job_id, {"state": job.state})
            return self._find(rows, job_id)

    @contextmanager
    def dispatching(self, listener: Listener) -> Iterator[None]:
        """Start queued jobs, and note what has become of them, in a thread of its own."""
        ended = threading.Event()

        def dispatch() -> None:
            reported = ""
            while not ended.is_set():
                try:
                    self.look()
                    reported = ""
                except Exception as error:  # the last net: the next look may succeed
                    if str(error) != reported:  # once, not with each look
                        reported = str(error)
                        listener(error_line(f"jobs cannot be started now: {reported}"))
                self._wake.wait(LOOK_S)
                self._wake.clear()

        thread = threading.Thread(target=dispatch, name="alo-jobs", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            self._wake.set()
            thread.join()

    def look(self) -> None:
        """Note what has become of the jobs that run, and start those that come next.

        One at a time has the workspace; what runs nothing waits for others of its kind alone.
        """
        for process in [each for each in self._supervisors if _has_ended(each)]:
            del self._supervisors[process]
        for job in self.open():
            if job.state == RUNNING:
                self._follow(job)
        for is_light in (False, True):
            if (following := self._next(is_light=is_light)) is not None:
                self._start(following)

    def _next(self, *, is_light: bool) -> Job | None:
        """The job that runs from now on, if one waits and none is before it."""
        if not any(job.state == QUEUED and job.is_light == is_light for job in self.open()):
            return None
        with self._database.transaction() as rows:
            found = rows.execute(_OPEN_JOBS, OPEN)
            same = [job for job in map(_job, found) if job.is_light == is_light]
            # Another studio of the project may have started one.
            if not same or any(job.state == RUNNING for job in same):
                return None
            self._set(rows, same[0], RUNNING, started=utc_now())
            return same[0]

    def _follow(self, job: Job) -> bool:
        """Whether a job that ran has ended."""
        folder = self.folder(job)
        # In this order: a supervisor says how its job has ended before it leaves.
        is_followed = folder.has_supervisor
        reader = self._readers.get(job.id) or reader_of(folder, job.command, self._workspace.home)
        self._readers[job.id] = reader
        ending, progress = folder.ending, reader.progress()
        if ending is None:
            if progress.run != job.run:
                with self._database.transaction() as rows:
                    rows.execute("UPDATE jobs SET run = ? WHERE id = ?", (progress.run, job.id))
            # Whoever was to start or to follow it was killed; or does so in a moment.
            if not is_followed and not self._has_time_left(job):
                self._start(job)
            return False
        status = ending.exit_status
        is_held = job.kind == RETRAIN and status == HELD_STATUS
        state = SUCCESS if status == 0 or is_held else ERROR
        if folder.is_to_be_cancelled and status in (None, *INTERRUPTED, 137):
            state = CANCELLED
        with self._database.transaction() as rows:
            ended = job._replace(run=progress.run or job.run, made=progress.made)
            self._set(rows, ended, state, ended=utc_now(), exit_status=status)
        self._readers.pop(job.id, None)
        self._tries.pop(job.id, None)
        return True

    def _has_time_left(self, job: Job) -> bool:
        """Whether this studio has started a supervisor for it a moment ago."""
        started = self._tries.get(job.id)
        if started is None:
            return False
        limit_s = STARTING_S if job.id in self._supervisors.values() else AGAIN_S
        return monotonic() - started < limit_s

    def _start(self, job: Job) -> None:
        folder = self.folder(job)
        folder.make()
        self._tries[job.id] = monotonic()
        words = [str(self._folder), job.id, *job.command, "--project", str(self._workspace.home)]
        process = _spawn(
            [*python_running("alo.ui.jobs.supervisor"), *words], self._environment(job)
        )
        self._supervisors[process] = job.id

    def _environment(self, job: Job) -> dict[str, str]:
        """With what a command needs that its words do not say; an asset's run needs none of it."""
        if job.kind == RUN:
            return dict(os.environ)
        own = {PERSON_VARIABLE: job.by, DATABASE_VARIABLE: self._database_url}
        return {**os.environ, **{name: value for name, value in own.items() if value}}

    def _find(self, rows: Connection, job_id: str) -> Job:
        found = rows.execute(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (job_id,))  # noqa: S608
        if not found:
            raise not_found(f"there is no job '{job_id}'", fix="/jobs lists them")
        return _job(found[0])

    def _set(
        self,
        rows: Connection,
        job: Job,
        state: str,
        *,
        started: str = "",
        ended: str = "",
        exit_status: int | None = None,
    ) -> None:
        rows.execute(
            "UPDATE jobs SET state = ?, started = ?, ended = ?, exit_status = ?, run = ?, made = ?"
            " WHERE id = ?",
            (state, started or job.started, ended, exit_status, job.run, job.made, job.id),
        )


def _job(row: Row) -> Job:
    number, job_id, state, command, *others = row
    return Job(number, job_id, state, json.loads(command), *others)


def _spawn(command: list[str], environment: Mapping[str, str]) -> int:
    """Start a process of its own, which nobody has to wait for; returns its number."""
    nothing = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(command[0], command, environment, file_actions=nothing, setsid=True)


def _has_ended(process: int) -> bool:
    """Whether a process of ours has ended; then it is gone from the system's table, too."""
    with suppress(ChildProcessError):
        return os.waitpid(process, os.WNOHANG)[0] != 0
    return True
