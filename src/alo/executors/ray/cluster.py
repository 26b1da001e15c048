"""A cluster of our own on this machine, which lives as long as the process that made it.

Ray listens on all interfaces and runs anyone's code: the cluster has a token that no one else has.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from functools import partial
from inspect import signature
from pathlib import Path
from secrets import token_hex
from typing import Any
from uuid import uuid4

from alo.claims import left_behind, locked_folder
from alo.executors.ray.address import VARIABLE
from alo.executors.ray.probe import MODE, TOKEN, TOKEN_FILE
from alo.executors.ray.refusal import is_final
from alo.files import discard

PREFIX = "alo-ray-"
LONGEST = 40  # characters of a folder's path: sockets below it have at most 107
STORE_BYTES = 150_000_000  # of shared memory, for what is on its way
TRIES = 3
PATIENCE_S = 60.0  # after which nothing is tried again


def guard_with_token(environ: MutableMapping[str, str]) -> None:
    """Have the cluster that is started next know those alone that this process starts."""
    environ[MODE], environ[TOKEN] = "token", token_hex(32)
    for name in (TOKEN_FILE, VARIABLE):
        environ.pop(name, None)


@contextmanager
def cluster_folder() -> Iterator[Path]:
    """Where the cluster has its sockets and logs; what killed processes have left is removed."""
    parent = Path(tempfile.gettempdir())
    if len(str(parent)) + len(PREFIX) + 9 > LONGEST:
        parent = Path("/tmp")  # noqa: S108 - the name below it is nobody's, and ours alone
    for left in parent.glob(f"{PREFIX}*"):
        with suppress(OSError), left_behind(left) as is_left:
            if is_left and left.stat().st_uid == os.getuid():
                discard(left)
    folder, lock = locked_folder(lambda: parent / f"{PREFIX}{uuid4().hex[:8]}")
    try:
        folder.chmod(0o700)
        yield folder
    finally:
        discard(folder)
        os.close(lock)


def start_cluster(ray: Any, folder: str, cpus: int) -> None:
    """Start it, and be connected to it.

    Args:
        ray: the module.
        folder: for its sockets and logs.
        cpus: that it is to have; 0: those of this machine.
    """
    with _bare(ray):
        connect(
            ray,
            num_cpus=cpus or None,
            include_dashboard=False,
            object_store_memory=STORE_BYTES,
            _temp_dir=folder,
        )


@contextmanager
def _bare(ray: Any) -> Iterator[None]:
    """Inside, Ray does not start what is for people at a terminal alone: half of its start.

    That is a reader of logs, an autoscaler, and what serves the dashboard, without one too.
    ``ray start`` has options for these, ``ray.init`` none; a Ray that is built otherwise has them.
    """
    private = getattr(ray, "_private", None)
    parameter, services = (getattr(private, name, None) for name in ("parameter", "services"))
    params = getattr(parameter, "RayParams", None)
    start_pages = getattr(services, "start_api_server", None)
    if parameter is None or services is None or params is None or start_pages is None:
        yield
        return
    known = signature(params).parameters
    less = {"include_log_monitor": False, "no_monitor": True}
    parameter.RayParams = partial(params, **{key: less[key] for key in less if key in known})
    services.start_api_server = lambda *_, **__: ("", None)  # its address, and no process
    try:
        yield
    finally:
        parameter.RayParams, services.start_api_server = params, start_pages


def connect(ray: Any, **options: Any) -> None:
    """Have Ray connect, with patience for a crowded machine.

    Until it has connected nothing is lost by another try, and what Ray says of a machine that was
    too slow, or of a port that another cluster of the machine has taken, is said in many ways.

    Args:
        options: of ``ray.init``.
    """
    end = time.monotonic() + PATIENCE_S
    for left in reversed(range(TRIES)):
        try:
            ray.init(configure_logging=False, log_to_driver=False, **options)
            return
        except Exception as error:
            with suppress(Exception):  # of what is half there: the error is why there is no more
                ray.shutdown()
            if not left or is_final(error) or time.monotonic() > end:
                raise
