"""The life of ``alo run --loop``: prepare, start the workers, serve until a signal."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any

from alo.engine.request import RunRequest
from alo.engine.run import OneAtATime
from alo.errors import AloError, CheckError, InstallError, PlanError, ServeError, SourceError
from alo.events.types import Listener, SettingUp
from alo.json_text import json_text
from alo.processes.signals import handled_by
from alo.serve.folders import has_worker_died, sweep
from alo.serve.redis_queue.answers import failure_message
from alo.serve.redis_queue.consumer import Consumer
from alo.serve.redis_queue.health import Health
from alo.serve.redis_queue.queue import FAIL_CHANNEL
from alo.serve.redis_queue.url import connect
from alo.serve.rollout.follow import Changes
from alo.serve.service import prepare
from alo.serve.upkeep import Upkeep, prune_history
from alo.serve.watched import Watched
from alo.workers.handle import BOOT_S
from alo.workers.protocol import CODE_SETUP, PACKAGE_SETUP, PLAN_LOAD, Failure

BOOT_CODES = {  # the first that fits
    PlanError: PLAN_LOAD,
    InstallError: PACKAGE_SETUP,
    SourceError: CODE_SETUP,
    CheckError: CODE_SETUP,
    ServeError: CODE_SETUP,
}


def serve_loop(
    request: RunRequest,
    url: str,
    listener: Listener,
    *,
    workers: int = 1,
    limit_s: float | None = None,
    boot_s: float = BOOT_S,
    alarm_secret: str = "",
) -> None:
    """Serve requests from Redis until a signal ends it; a second one ends it at once.

    Args:
        url: of Redis, whole.
        workers: processes that have the pipeline warm.
        limit_s: seconds that a request may take; None: any.
        boot_s: seconds until a worker has to be warm.
        alarm_secret: that signs what the URL of the plan's alarm is sent.
    Raises:
        AloError: the pipeline cannot be warmed up.
    """
    listener = OneAtATime(listener)
    client = connect(url)  # without the extra, nothing else needs to be tried
    try:
        service = prepare(request, "loop", listener)
    except AloError as error:
        _publish_boot_failure(client, error)
        raise
    workspace, health = service.job.workspace, Health(service.folder.path)
    changes: Changes | None = None
    watched = Watched(service, alarm_secret, listener)
    size_mb = service.job.plan.control.backup_size
    works: dict[str, Callable[[], object]] = {
        "what dead services have left cannot be removed": partial(sweep, workspace),
        "history cannot be pruned": partial(prune_history, workspace, size_mb),
    }
    upkeep = Upkeep(works, listener)
    try:
        handles = service.workers(workers, boot_s, listener)
        changes = Changes(service, handles, limit_s, listener)
        has_died = partial(has_worker_died, workspace)
        consumers = [
            Consumer(worker, name, has_died, url, limit_s, changes, health, listener, watched.saw)
            for name, worker in zip(service.folder.worker_names(workers), handles, strict=True)
        ]

        def stop() -> None:
            for consumer in consumers:
                consumer.stop()

        changes.start()
        watched.start()
        upkeep.start()
        _run_all([consumer.run for consumer in consumers], stop, listener)
    except AloError as error:
        _publish_boot_failure(client, error)
        raise
    finally:
        upkeep.stop()
        if changes is not None:
            changes.stop()
        watched.stop()
        service.folder.remove()


def _publish_boot_failure(client: Any, error: AloError) -> None:
    """Publish it on the channel of failures, if Redis is there; the loop ends anyway."""
    from redis.exceptions import RedisError

    code, name = next(
        (found for kind, found in BOOT_CODES.items() if isinstance(error, kind)), PLAN_LOAD
    )
    message = failure_message(Failure(code, name, str(error)))
    with suppress(RedisError):
        client.publish(FAIL_CHANNEL, json_text(message))


def _run_all(
    runs: Sequence[Callable[[], None]], stop: Callable[[], object], listener: Listener
) -> None:
    """Run each in a thread of its own; the first error ends all and is raised."""
    errors: list[BaseException] = []

    def run(each: Callable[[], None]) -> None:
        try:
            each()
        except BaseException as error:
            errors.append(error)
            stop()

    threads = [threading.Thread(target=run, args=(each,)) for each in runs]
    asked = 0

    def take(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked += 1
        if asked > 1:
            os._exit(128 + number)  # the request in hand stays in its list, to be taken up again
        listener(SettingUp("ending after the request in hand; once more ends it at once"))
        stop()

    with handled_by(take):
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.5)
    if errors:
        raise errors[0]
