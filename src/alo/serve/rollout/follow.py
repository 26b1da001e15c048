"""Zero-downtime model deployment: a service follows what ``alo deploy`` has chosen.

A new model is booted in a sibling of each worker, has to answer a sample, and only then takes
over. What its check said is recorded, so that no service ever uses a model that has failed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from alo.errors import AloError, ServeError
from alo.events.log_lines import warning
from alo.events.types import Listener, SettingUp
from alo.history.deployment import (
    FAILED,
    NAME,
    PASSED,
    Deployment,
    change_deployment,
    deployment_stamp,
    models_of,
    read_deployment,
)
from alo.history.models_origin import EXTERNAL_MODEL, NAMELESS
from alo.history.record import CHECK
from alo.serve.folders import lives
from alo.serve.known_input import SMOKE
from alo.serve.rollout.samples import Samples
from alo.serve.rollout.shadow import Shadow
from alo.serve.service import Service, chosen_model, has_files
from alo.workers.handle import Worker
from alo.workers.protocol import Request

LOOK_S = 0.5
CHECK_S = 600.0  # for a check where a request may take any time: one that hangs bars every choice
STOP_S = 1.0


class Changes:
    """Follows the choice of the model while a service runs.

    Args:
        workers: all of the service; started by others, which then call ``booted``.
    """

    def __init__(
        self,
        service: Service,
        workers: Sequence[Worker],
        limit_s: float | None,
        listener: Listener,
    ) -> None:
        self._workspace, self._workers = service.job.workspace, workers
        self._folder, self._name = service.folder, service.folder.name
        self._limit_s, self._listener = limit_s, listener
        self._samples = Samples(service.job.workspace)
        self._booted_with = service.models, service.model_id
        self._needs_model = has_files(service.models)
        self._models, self._model = service.models, ""  # in use; none until one has answered
        self._followed = ""  # when the choice was made that is in effect
        self._stamp: tuple[int, int, int] | None = None
        self._booting = threading.Lock()
        self._shadow: Shadow | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="alo-models", daemon=True)

    def booted(self, worker: Worker) -> None:
        """See that the model of a service that starts can answer; call it for each worker.

        Raises:
            AloError: it cannot, and neither can the one before.
        """
        with self._booting:
            if not self._model:
                self._first_good(worker)
            elif worker.model_id != self._model:
                self._replace([worker], self._models, self._model, is_checked=True)

    def start(self) -> None:
        """Begin to follow, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following and end the shadow model; the service no longer counts as running."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S)  # a model that boots meanwhile ends with this process
        if self._shadow is not None:
            self._shadow.stop()
        self._record(lambda now: now.without(self._name))

    def restore(self, worker: Worker) -> None:
        """Make anew what a worker boots from, where ``.alo/`` was deleted while the service runs.

        Raises:
            AloError: the model is gone with it, and cannot be made from the project.
            OSError: the folder cannot be made.
        """
        self._folder.restore()
        with self._booting:
            if not self._models.is_dir():
                if self._model == EXTERNAL_MODEL:
                    raise ServeError(
                        "the model that was loaded is gone with the folder .alo/",
                        where=str(self._models),
                        fix="start the service again: it loads the model anew",
                    )
                must = self._needs_model
                self._use(*chosen_model(self._workspace, self._folder, must_be_some=must))
            worker.use(self._models, self._model)

    @property
    def wants_sample(self) -> bool:
        """Whether ``went_well`` has something to write."""
        return self._shadow is not None or self._samples.is_due

    def went_well(
        self, request: Request, content: Mapping[str, object], *, takes_data: bool
    ) -> None:
        """A request was answered: it is a sample for a new model, and for the shadow.

        Args:
            content: of the summary.
            takes_data: as ``Samples.keep`` has it.
        Raises:
            OSError: it cannot be kept.
        """
        shadow = self._shadow
        if shadow is not None or self._samples.is_due:
            sample = self._samples.keep(request, takes_data=takes_data)
            if shadow is not None:
                shadow.add(sample, content)

    def _watch(self) -> None:
        while not self._ended.is_set():
            try:
                self._look()
            except Exception as error:  # the last net: whatever it was, the service continues
                self._listener(warning(f"the choice of the model cannot be followed: {error!r}"))
            self._ended.wait(LOOK_S)

    def _look(self) -> None:
        stamp = deployment_stamp(self._workspace)
        if stamp == self._stamp or not self._model:  # nothing is replaced while it still boots
            return
        self._stamp = stamp
        for what, follow in (("model", self._follow_model), ("shadow", self._follow_shadow)):
            try:
                follow(read_deployment(self._workspace))
            except (AloError, OSError) as error:
                self._listener(warning(f"the {what} stays as it is: {error}"))

    def _follow_model(self, deployment: Deployment) -> None:
        wanted, is_new = deployment.in_use, deployment.when != self._followed
        # Without a run it is the workspace's current model, as it was when that was chosen.
        if wanted == self._model or not (wanted or is_new) or deployment.is_without_way_back:
            return
        self._followed = deployment.when
        models, model_id = chosen_model(self._workspace, self._folder)
        try:
            self._replace(self._workers, models, model_id)
        except (AloError, OSError) as error:
            self._refuse(model_id, error)
            raise
        self._use(models, model_id)
        self._folder.unpin(but=models)
        self._listener(SettingUp(f"the model of run {model_id} is in use"))

    def _first_good(self, worker: Worker) -> None:
        """Use the model that the worker has booted with; or, if it cannot answer, the one before.

        Raises:
            AloError: none can.
        """
        models, model_id = self._booted_with
        while True:
            try:
                self._check(worker)
            except ServeError as error:
                self._refuse(model_id, error)
                models, before = chosen_model(self._workspace, self._folder)
                if before == model_id:
                    raise
                self._listener(warning(f"the model of run {model_id} is not used: {error}"))
                model_id = before
                self._replace([worker], models, model_id, is_checked=True)
            else:
                return self._use(models, model_id)

    def _replace(
        self, workers: Sequence[Worker], models: Path, model_id: str, *, is_checked: bool = False
    ) -> None:
        """Boot the model in a sibling of each worker, and have it take over.

        Args:
            is_checked: whether the check is the caller's.
        Raises:
            ServeError: it cannot be booted, or cannot answer; nothing has changed then.
        """
        fresh: list[Worker] = []
        try:
            for worker in workers:
                fresh.append(worker.sibling(models, model_id))
                fresh[-1].start()
                if len(fresh) == 1 and not is_checked:
                    self._check(fresh[0])
        except BaseException:
            for worker in fresh:
                worker.stop()
            raise
        for worker, other in zip(workers, fresh, strict=True):
            worker.replace_with(other)

    def _check(self, worker: Worker) -> None:
        smoke, newest = self._workspace.home / SMOKE, self._samples.newest
        limit_s = CHECK_S if self._limit_s is None else self._limit_s
        if smoke.is_dir():
            sample = Request(CHECK, None, (str(smoke),), exports=False)
            worker.check(sample, limit_s, may_be_gone=False)
        elif newest is not None:
            worker.check(newest._replace(id=CHECK), limit_s, may_be_gone=True)
        else:
            return
        if worker.model_id not in NAMELESS:
            self._record(lambda now: now.checked(worker.model_id, PASSED))

    def _use(self, models: Path, model_id: str) -> None:
        self._models, self._model = models, model_id
        self._record(
            lambda now: now.without(*self._ended_services(now)).used_by(self._name, model_id)
        )

    def _ended_services(self, now: Deployment) -> list[str]:
        """Those that could not say themselves that they do not use a model any more."""
        return [name for name in now.services if not lives(self._workspace, name)]

    def _refuse(self, model_id: str, error: Exception) -> None:
        if model_id not in NAMELESS:
            reason = error.what if isinstance(error, AloError) else str(error)
            self._record(lambda now: now.checked(model_id, FAILED, reason))

    def _record(self, change: Callable[[Deployment], Deployment]) -> None:
        """Let others know; a service that cannot write there serves all the same."""
        try:
            change_deployment(self._workspace, change)
        except (AloError, OSError) as error:
            self._listener(warning(f"{NAME} cannot be written: {error}"))

    def _follow_shadow(self, deployment: Deployment) -> None:
        wanted = deployment.shadow
        if wanted == (self._shadow.model_id if self._shadow else ""):
            return
        if self._shadow is not None:
            self._shadow.stop()
            self._shadow = None
        if wanted:
            worker = self._workers[0].sibling(models_of(self._workspace, wanted), wanted)
            worker.start()
            self._shadow = Shadow(self._workspace, worker, self._limit_s)
            self._listener(SettingUp(f"the model of run {wanted} runs in the shadow"))
