"""One request on a warm pipeline: its data in, the session of its steps, its result sent.

The session runs in the worker's own workspace; nothing is put back, and history gets it later.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from alo.data.location import Access, LocationError, is_remote
from alo.data.locations import list_sources
from alo.data.staging import stage, stage_content, use_what_is_there
from alo.engine.checks.results import check_results
from alo.engine.records import first_record, record_again
from alo.engine.session import Session
from alo.engine.spec import Job
from alo.engine.steps.code import RunCode
from alo.errors import (
    AloError,
    ExportError,
    MetadataError,
    ResultError,
    StepError,
    StoreError,
)
from alo.events.log_lines import error as error_line
from alo.events.log_lines import info, warning
from alo.events.types import Event, Listener, LogLine, Output
from alo.files import remove_tree
from alo.history.ids import utc_text
from alo.history.record import REQUEST, SHADOWED, RunRecord
from alo.layout import Workspace
from alo.masking import masked
from alo.plan.changes import with_args
from alo.plan.metadata import apply_metadata, parse_metadata
from alo.plan.model import Plan
from alo.plan.render import render_plan
from alo.sources.code.loader import AssetCode
from alo.sources.code.shared import SharedModules
from alo.texts import odd_text
from alo.workers.protocol import (
    ASSET_INIT,
    ASSET_RUN,
    DATA_LOAD,
    METADATA_APPLY,
    NO_ARTIFACTS,
    NO_DATASET,
    NO_SUMMARY,
    Failure,
    Finished,
    Message,
    Request,
    Stage,
    write_failure,
)
from alo.workers.request_logs import RequestLogs
from alo.workers.results import read_results

PLACES = ("dataset_uri", "artifact_uri", "model_uri")  # looked at where they are used
QUICK_BYTES = 1 << 20  # of data that is staged before anyone could read that it is
SendMessages = Callable[[Sequence[Message]], object]


class RequestFailedError(Exception):
    """A request cannot be answered with a result."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.comment)
        self.failure = failure


class Warm(NamedTuple):
    """What of a warm pipeline all of its requests run on."""

    job: Job  # as at boot
    project: Workspace  # relative paths are the project's, wherever the worker has its own
    record: RunRecord  # of a request that chooses nothing
    code: RunCode
    shared: SharedModules
    codes: Mapping[str, AssetCode]
    listener: Listener
    add_to_history: Callable[
        [RunRecord, bytes], object
    ]  # takes what history is to have, and the plan


class RequestRun:
    """One request on its way.

    Args:
        send: takes messages about it, in order; with ``Finished`` or a ``Failure`` at the end.
    """

    def __init__(self, warm: Warm, request: Request, send: SendMessages) -> None:
        self._warm, self._request, self._send_all = warm, request, send
        self._held: list[Message] = []
        self._job = warm.job
        self._started, self._clock = time.time(), time.monotonic()
        self._logs: RequestLogs | None = None
        self._code = METADATA_APPLY  # of what goes wrong now

    def send(self, message: Message) -> None:
        """Send a message to the front end, with what was held back until now."""
        self._held.append(message)
        self._send_held()

    def _hold(self, message: Message) -> None:
        """Send it with what comes next, which is at once, and before the asset runs again.

        Each message that goes alone wakes the front end, and is a round trip to Redis.
        """
        self._held.append(message)

    def _send_held(self) -> None:
        """What comes next takes a while."""
        held, self._held = self._held, []
        if held:
            self._send_all(held)

    def run(self, workspace: Workspace) -> None:
        """Answer it.

        Args:
            workspace: the worker's own, in which nothing of another request is.
        """
        self._hold(Stage("setup"))
        self._workspace = workspace
        self._job = self._job_of_request()
        artifacts = self._workspace.artifacts("inference")
        self._record = self._first_record()
        begins = self._named(info(f"request {self._request.id}, run {self._record.id}"))
        self._logs = RequestLogs(artifacts / "log", begins)
        try:
            if self._is_kept or self._exports:
                self._logs.made()
            self._load()
            with self._session() as session:
                for number, step in enumerate(self._job.pipeline.steps):
                    self.send(Stage(f"run.{step.name}"))
                    session.run_step(step, number)
            self._answer(artifacts)
        except Exception as error:
            failure = self.failure_of(error)
            self._emit(error_line(failure.message))
            self._record = self._record._replace(
                status="error", reason=failure.comment, failed_step=self._failed_step()
            )
            self._export_failed(artifacts, failure)
            raise
        finally:
            self._logs.close()
            self._logs = None
            self._keep()

    def failure_of(self, error: Exception) -> Failure:
        """How an error is reported to a client, known or not."""
        match error:
            case RequestFailedError():
                return error.failure
            case OSError():
                return write_failure("what the request needs", error)
        return Failure(*self._code, f"a fault in ALO: {error!r}")

    def _answer(self, artifacts: Path) -> None:
        """Send what the steps have made."""
        self._hold(Stage("save"))
        self._code = NO_SUMMARY
        try:
            results = check_results(artifacts)
            for odd in results.odd:
                self._emit(warning(odd))
            takes = self._request.takes_outputs
            summary = read_results(artifacts, results.outputs, with_contents=takes)
        except ResultError as error:
            raise _failed(NO_SUMMARY, error, "asset") from error
        self._code = NO_ARTIFACTS
        if self._exports:
            self.send(summary)
            exported = self._export(artifacts)
        else:
            self._hold(summary)
            exported = ()
        self.send(Finished(exported))
        if self._is_kept:
            self._record = self._record._replace(status="success")

    def _first_record(self) -> RunRecord:
        """Its record as it begins: mostly that of all requests, under another id."""
        job, warm = self._job, self._warm
        if job.pipeline is warm.job.pipeline:  # and so its args are the same
            return record_again(warm.record, job, self._started)
        return first_record(job, self._started)._replace(train_id=warm.record.train_id)

    def _job_of_request(self) -> Job:
        """The plan as it was at boot, with what this request chooses."""
        request, job = self._request, self._job
        try:
            if request.metadata is not None:
                job = _with_metadata(job, request.metadata)
            plan = _with_args(job.plan, request)
        except MetadataError as error:
            raise _failed(METADATA_APPLY, error, "refused") from error
        pipeline = plan.inference
        if pipeline is None:
            raise RequestFailedError(Failure(*METADATA_APPLY, "the plan has no inference_pipeline"))
        changes = (f"{REQUEST}{request.id}", *((SHADOWED,) if request.is_shadowed else ()))
        return job._replace(
            plan=plan, pipeline=pipeline, changes=changes, workspace=self._workspace
        )

    def _load(self) -> None:
        self._hold(Stage("load"))
        self._code = DATA_LOAD
        if self._job.plan.external.load_model_path:
            self._send_held()
        workspace, external = self._workspace, self._job.plan.external
        files = self._request.files
        paths = () if files else self._request.data or external.load_inference_data_path
        access = Access(self._job.plan.aws_key_profile)
        try:
            if files:
                staged = stage_content(workspace, "inference", files)
            elif paths:
                home = self._warm.project.home
                if any(map(is_remote, paths)):
                    self._send_held()
                sources = list_sources(home, paths, workspace.input("inference"), access)
                if sum(file.known_size for file in sources) > QUICK_BYTES:
                    self._send_held()
                staged = stage(
                    workspace, "inference", sources, _no_report, access, is_remembered=False
                )
            else:
                staged = use_what_is_there(workspace, "inference")
        except AloError as error:
            raise _failed(DATA_LOAD, error, "data") from error
        if self._is_kept:
            self._record = self._record._replace(
                data_id=staged.data_id,
                data_id_description={"files": staged.files, "sources": list(map(masked, paths))},
            )

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """The session of its steps; what they come to is in the record, however they end."""
        warm = self._warm
        with _models_of_request(self._job, self._workspace) as self._job:
            self._hold(Stage("run"))
            self._code = ASSET_RUN
            code = warm.code, warm.shared, warm.codes
            session = Session(self._job, self._record, self._started, *code, None, self._emit)
            try:
                yield session
            except StepError as error:
                raise _failed_step(error) from error
            except StoreError as error:
                raise _failed(ASSET_RUN, error, "asset") from error
            finally:
                session.close()
                self._record = session.record

    @property
    def _is_kept(self) -> bool:
        """Whether history is to have it."""
        return self._job.plan.control.backup_artifacts

    @property
    def _exports(self) -> bool:
        """Whether what it makes goes to a place outside."""
        return bool(self._job.plan.external.save_inference_artifacts_path) and self._request.exports

    def _export_failed(self, artifacts: Path, failure: Failure) -> None:
        """As far as it came, before the failure is sent, which nothing here hides."""
        if failure.code == NO_ARTIFACTS[0]:
            return
        try:
            self._export(artifacts, failed=True)
        except Exception as problem:  # of a store's client, say
            self._emit(warning(f"the failed request is not exported: {problem}"))

    def _export(self, artifacts: Path, *, failed: bool = False) -> tuple[str, ...]:
        if not self._exports:
            return ()
        plan = self._job.plan
        target = plan.external.save_inference_artifacts_path
        from alo.data.export import check_export_target, export_artifacts

        access = Access(plan.aws_key_profile)
        try:
            place = check_export_target(self._warm.project.home, target, access)
            packed = plan.control.save_inference_format
            exported = export_artifacts(artifacts, "inference", place, packed, failed=failed)
        except (LocationError, ExportError) as error:
            raise _failed(NO_ARTIFACTS, error, "data") from error
        return tuple(map(str, exported))

    def _keep(self) -> None:
        if not self._is_kept:
            return
        record = self._record._replace(
            end_time=utc_text(time.time()),
            seconds=round(time.monotonic() - self._clock, 6),
            code_id=self._warm.code.id,
            code_id_description=self._warm.code.description,
        )
        self._warm.add_to_history(record, render_plan(self._job.plan, self._job.changes))

    def _failed_step(self) -> str:
        return next((step.name for step in self._record.steps if step.status == "error"), "")

    def _emit(self, event: Event) -> None:
        """To the log files and the console; each line says which request it is about."""
        if isinstance(event, LogLine):
            event = self._named(event)
        if isinstance(event, LogLine | Output):
            if self._logs is not None:
                self._logs(event)
            self._warm.listener(event)

    def _named(self, line: LogLine) -> LogLine:
        return line._replace(text=f"[{self._request.id}] {line.text}")


class _models_of_request:
    """The models that a request brings, in the place of the pinned ones until it is answered."""

    def __init__(self, job: Job, workspace: Workspace) -> None:
        self._job, self._workspace = job, workspace
        self._aside: Path | None = None

    def __enter__(self) -> Job:
        path = self._job.plan.external.load_model_path
        if not path:
            return self._job
        from alo.data.models import check_model_source, fetch_models

        workspace, fetched = self._workspace, self._workspace.home / "fetched-models"
        try:
            project = self._job.code.assets.parent
            source = check_model_source(project, path, Access(self._job.plan.aws_key_profile))
            remove_tree(fetched)
            fetch_models(source, fetched)
        except AloError as error:
            remove_tree(fetched)
            raise _failed(DATA_LOAD, error, "data") from error
        self._aside = workspace.home / "pinned-models"
        os.rename(workspace.models, self._aside)
        os.rename(fetched, workspace.models)
        execution = self._job.execution._replace(loaded=None)
        return self._job._replace(execution=execution)

    def __exit__(self, *exc: object) -> None:
        if self._aside is not None:
            remove_tree(self._workspace.models)
            os.rename(self._aside, self._workspace.models)


def _with_metadata(job: Job, content: Mapping[str, object]) -> Job:
    if odd := odd_text(content, but=PLACES):
        comment = f"the metadata has a text with a NUL or half a character in it: {odd}"
        raise RequestFailedError(Failure(*METADATA_APPLY, comment, kind="refused"))
    metadata = parse_metadata(content)
    chosen = next((each for each in metadata.pipelines if each.kind == "inference"), None)
    if chosen is None or not any(chosen.dataset_uri or ()):
        comment = "the metadata names no dataset_uri of the inference pipeline"
        raise RequestFailedError(Failure(*NO_DATASET, comment, kind="refused"))
    plan, _ = apply_metadata(job.plan, metadata, ("inference",))
    return job._replace(plan=plan, metadata_version=metadata.version or job.metadata_version)


def _with_args(plan: Plan, request: Request) -> Plan:
    pipeline = plan.inference
    if not request.args or pipeline is None:
        return plan
    known = {step.name: step.args for step in pipeline.steps}
    for step in request.args:
        if step not in known:
            from alo.plan.suggest import did_you_mean

            comment = f"the inference pipeline has no step '{step}'; {did_you_mean(step, known)}"
            raise RequestFailedError(Failure(*METADATA_APPLY, comment, kind="refused"))
    args = {name: {**known[name], **given} for name, given in request.args.items()}
    return with_args(plan, "inference", args)


def _failed(code: tuple[str, str], error: AloError, kind: str) -> RequestFailedError:
    return RequestFailedError(Failure(*code, str(error), kind=kind))


def _failed_step(error: StepError) -> RequestFailedError:
    code = ASSET_INIT if error.in_init else ASSET_RUN
    return RequestFailedError(Failure(*code, str(error), error.user_traceback))


def _no_report(done: int, total: int) -> None:
    """Requests are small."""
