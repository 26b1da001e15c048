"""What a service starts from: the pipeline checked and set up, and the model it is to use."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from alo.data.location import Access, LocationError
from alo.engine.checks.preflight import UNASKED, check_plan, find_workspace, read_plan
from alo.engine.request import RunRequest
from alo.engine.spec import Job, needs_setup
from alo.engine.workspace.lock import hold_workspace
from alo.errors import CheckError, ServeError
from alo.events.log_lines import warning
from alo.events.types import Listener
from alo.history.deployment import has_models_of, models_of, read_deployment, run_in_use
from alo.history.models_origin import EXTERNAL_MODEL, NO_TRAIN_RUN
from alo.layout import Workspace
from alo.plan.model import Plan
from alo.serve.folders import ServiceFolder, earlier_services, make_folder
from alo.workers.handle import Worker


class Service(NamedTuple):
    """All that its workers are started with."""

    job: Job
    models: Path  # the folder of the models
    model_id: str  # the train run that made them; none, or load-external-model
    folder: ServiceFolder

    def workers(self, count: int, boot_s: float, listener: Listener) -> list[Worker]:
        """Its workers, not started yet.

        Args:
            boot_s: seconds until each has to be warm.
        """
        homes = [self.folder.path / f"worker-{number}" for number in range(count)]
        return [
            Worker(self.job, home, self.models, self.model_id, listener, boot_s) for home in homes
        ]


def prepare(
    request: RunRequest, name: str, listener: Listener, *, has_workers: bool = True
) -> Service:
    """Check the plan, fetch code, install packages, choose the model.

    Args:
        name: of the kind of service: serve or loop.
        has_workers: whether it runs inferences itself, and so needs the model.
    Raises:
        CheckError: with every problem that was found.
        AloError: as ``set_up`` does.
        ContinueIn: everything is in place, in another environment.
    """
    workspace = find_workspace(request.home)
    for process in earlier_services(workspace):
        what = f"a service of an earlier ALO runs in this project (process {process})"
        listener(warning(f"{what}: it does not follow alo deploy; restart it with this version"))
    plan, _, version = read_plan(request._replace(mode="inference"), workspace)
    plan, model_path = _without_places(plan)
    checked = check_plan(plan, workspace, "inference", (), version, network=UNASKED, serves=True)
    with hold_workspace(workspace, wait=True, listener=listener, what=f"alo {name}"):
        jobs = checked.jobs
        if needs_setup(jobs):
            from alo.engine.setup import set_up

            jobs = tuple(set_up(jobs, request.setup, listener))
        folder = make_folder(workspace, name)
        try:
            if model_path and has_workers:
                models = _fetched(plan, model_path, folder.path, workspace)
                return Service(jobs[0], models, EXTERNAL_MODEL, folder)
            if not has_workers:
                return Service(jobs[0], workspace.models, NO_TRAIN_RUN, folder)
            return Service(jobs[0], *chosen_model(workspace, folder), folder)
        except BaseException:
            folder.remove()
            raise


def chosen_model(
    workspace: Workspace, folder: ServiceFolder, *, must_be_some: bool = False
) -> tuple[Path, str]:
    """The models to use, and the run that made them: what is deployed, or what is there now.

    They stay as they are whatever is trained meanwhile: those of a run in history, or a copy that
    is the service's own.

    Args:
        must_be_some: whether the service cannot answer without a model.
    Raises:
        HistoryError: what is deployed is not there any more.
        ServeError: it has failed its check, and there is nothing else; it cannot be copied; or
            there is none, and one must be.
    """
    deployment = read_deployment(workspace)
    run_id = run_in_use(workspace, deployment)
    if deployment.has_failed(run_id):
        raise ServeError(
            f"the model of run {run_id} has failed its check: {deployment.check_of(run_id).reason}",
            fix="alo deploy RUN_ID chooses another, or has this one tried again",
        )
    if deployment.in_use or has_models_of(workspace, run_id):
        return models_of(workspace, run_id), run_id
    if must_be_some and not has_files(workspace.models):
        raise ServeError(
            "the model is gone, and so is that of the project",
            where=str(workspace.models),
            fix="alo run --mode train makes one; alo deploy RUN_ID takes one of history",
        )
    try:
        return folder.pin(workspace.models), run_id
    except OSError as error:
        raise ServeError(f"the model cannot be copied: {error}", where=str(folder.path)) from error


def has_files(models: Path) -> bool:
    """Whether there is anything in a folder of models."""
    return models.is_dir() and any(models.iterdir())


def _without_places(plan: Plan) -> tuple[Plan, str]:
    """The plan without the data of an ordinary run: requests bring theirs; and its model."""
    external = plan.external._replace(load_inference_data_path=(), load_model_path="")
    return plan._replace(external=external), plan.external.load_model_path


def _fetched(plan: Plan, path: str, folder: Path, workspace: Workspace) -> Path:
    """The models of ``load_model_path``, once for all requests."""
    from alo.data.models import check_model_source, fetch_models

    try:
        source = check_model_source(workspace.home, path, Access(plan.aws_key_profile))
    except LocationError as error:
        problem = f"{error.what}; {error.fix}" if error.fix else error.what
        raise CheckError([plan.problem("external_path.load_model_path", problem)]) from error
    models = folder / "models"
    try:
        fetch_models(source, models)
    except OSError as error:
        raise ServeError(f"the model cannot be loaded: {error}") from error
    return models
