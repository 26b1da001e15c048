"""The warm inference pipeline of one worker: code imported, model pinned, one request at a time.

It has a workspace of its own, so that neither a train run nor another worker disturbs it; what an
asset sees as the project's folder is that workspace.
"""

import os
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from alo.engine.records import first_record
from alo.engine.spec import Job
from alo.engine.steps.code import RunCode
from alo.engine.steps.failures import step_error
from alo.engine.steps.step import import_asset
from alo.events.log_lines import error as error_line
from alo.events.log_lines import warning
from alo.events.types import Listener
from alo.files import remove_tree
from alo.history.entries.not_kept import note_not_kept
from alo.history.entries.save import kept_input, save_entry
from alo.history.entries.tree import Found
from alo.history.record import RunRecord
from alo.layout import Workspace
from alo.sources.code.loader import AssetCode
from alo.sources.code.shared import SharedModules
from alo.workers.protocol import (
    Request,
)
from alo.workers.request_folders import Leftovers, RequestFolders
from alo.workers.request_run import RequestRun, SendMessages, Warm
from alolib.advice import SERVICE
from alolib.once import LoadedOnce

MOST_PENDING = 100  # requests that wait for their entry in history


class PendingEntry(NamedTuple):
    """A request that is to have an entry in history."""

    record: RunRecord
    plan: bytes
    artifacts: Path
    made_at: Path  # where they were when the asset wrote them
    given: Path | None = None  # the input, where history is to keep it

    def remove(self) -> None:
        """Remove what was put aside."""
        remove_tree(self.artifacts)
        if self.given is not None:
            remove_tree(self.given)


class WarmPipeline:
    """Boots once, then runs requests.

    Args:
        job: of the inference pipeline, as at boot; its workspace is the project's.
        home: the folder of this worker's own workspace.
        models: the folder whose models are used; a copy of it is.
        model_id: the run that made them.
    """

    def __init__(
        self, job: Job, home: Path, models: Path, model_id: str, listener: Listener
    ) -> None:
        self._project, self._listener = job.workspace, listener
        remove_tree(home)
        self._folders = RequestFolders(job.workspace, home, models)
        self._home, self.model_id = home.resolve(), model_id
        execution = job.execution._replace(loaded=LoadedOnce(), caller=SERVICE)
        self._job = job._replace(execution=execution)
        self.code = RunCode(job.code.assets, self._home / "code", workspace=self._home)
        self.shared = SharedModules(self.code.view)
        self._codes = {
            step.name: AssetCode(job.code.assets / step.name, step.name, self.shared)
            for step in job.pipeline.steps
        }
        self.code.take(list(self._codes))
        self._import_all()
        self._waiting: deque[PendingEntry] = deque()
        self._answered: tuple[RunRecord, bytes] | None = None
        self._last_id, self._is_clean = "", True
        self._leftovers = Leftovers()
        self._warm = Warm(
            self._job,
            self._project,
            self._record(),
            self.code,
            self.shared,
            self._codes,
            listener,
            self.add_to_history,
        )

    @property
    def workspace(self) -> Workspace:
        """What the assets of the next request are given."""
        return self._folders.current

    def run(self, request: Request, send: SendMessages) -> None:
        """Answer one request, with ``Finished`` or a ``Failure`` at its end."""
        request_run = RequestRun(self._warm, request, send)
        try:
            self.release()
            self._last_id, self._is_clean = request.id, False
            self._leftovers = Leftovers()
            request_run.run(self.workspace)
        except Exception as error:  # the last net: whatever it is costs this request alone
            request_run.send(request_run.failure_of(error))

    def run_deferred(self) -> bool:
        """Do a piece of what no request should wait for; whether there is more."""
        if not self._waiting:
            return False
        entry = self._waiting.popleft()
        control = self._job.plan.control
        given: Sequence[Found] = ()
        if entry.given is not None:
            given, _ = kept_input(entry.given, control.backup_size)
        try:
            save_entry(
                self._project,
                entry.record,
                plan=entry.plan,
                artifacts=entry.artifacts,
                code=self.code.copies,
                backup_log=control.backup_log,
                made_at=entry.made_at,
                given=given,
            )
        except OSError as error:
            self._not_kept(entry.record, error)
        entry.remove()
        return bool(self._waiting)

    def add_to_history(self, record: RunRecord, plan: bytes) -> None:
        """Have what a request has made kept in history, once it is released."""
        self._answered = (record, plan)

    def release(self) -> None:
        """Put what the last request has made aside, for history; the oldest that wait give way."""
        if self._answered is not None:
            (record, plan), self._answered = self._answered, None
            self._put_aside(record, plan)
        if not self._is_clean:
            self._clean()
        while len(self._waiting) > MOST_PENDING:
            left_out = self._waiting.popleft()
            left_out.remove()
            note_not_kept(self._project.history, left_out.record.pipeline)

    def _put_aside(self, record: RunRecord, plan: bytes) -> None:
        target, made_at = self._home / "kept" / record.id, self.workspace.artifacts("inference")
        try:
            target.parent.mkdir(exist_ok=True)
            os.rename(made_at, target)
            given = self._input_aside(target) if record.status == "success" else None
            self._waiting.append(PendingEntry(record, plan, target, made_at, given))
        except OSError as error:
            self._not_kept(record, error)

    def _not_kept(self, record: RunRecord, error: OSError) -> None:
        self._listener(error_line(f"{record.id} is not in history: {error}"))
        note_not_kept(self._project.history, record.pipeline)

    def _input_aside(self, target: Path) -> Path | None:
        """Put the request's input beside its artifacts; None: history is not to keep it."""
        if not self._job.plan.control.backup_artifacts:
            return None
        folder, given = self.workspace.input("inference"), target.with_name(f"{target.name}-input")
        try:
            os.rename(folder, given)
        except FileNotFoundError:
            return None
        os.mkdir(folder)
        return given

    def _clean(self) -> None:
        """Nothing of the last request is there, and nothing that it left can reach the next one."""
        left = self._leftovers.of_request()
        if not left:
            self._folders.clean()
            self._is_clean = True
            return
        self._folders.renew()
        self._is_clean = True
        self.code.view.move_workspace(str(self.workspace.home))
        self._leftovers = Leftovers()
        what = f"[{self._last_id}] the asset has left running: {', '.join(left)}"
        self._listener(warning(f"{what}; later requests have other folders"))

    def _record(self) -> RunRecord:
        job = self._job._replace(workspace=self.workspace)  # as a request's is
        return first_record(job, time.time())._replace(train_id=self.model_id)

    def _import_all(self) -> None:
        for code in self._codes.values():
            try:
                import_asset(code, self._listener)
            except BaseException as error:  # also sys.exit in a module
                raise step_error(code.step, error, self._job.code.assets.parent) from error
        self.code.absorb()
