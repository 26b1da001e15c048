"""The process in which Ray lives: it makes the actors, and hands calls and answers on.

With its head gone, a direct connection ends its process after a minute: that is not the driver's.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from alo.engine.steps.process_main import MessageSender, process_of_ours
from alo.errors import AloError, UsageError
from alo.executors.ray.address import Address
from alo.executors.ray.cluster import connect as connect_to
from alo.executors.ray.cluster import guard_with_token, start_cluster
from alo.executors.ray.messages import (
    Answered,
    Call,
    Close,
    Connect,
    Connected,
    Failed,
    Gone,
    Open,
    Refused,
    Room,
)
from alo.executors.ray.probe import MODE, check_head, connect_problem
from alo.executors.ray.refusal import refusal_of
from alo.processes.wire import received

PIECE = 1 << 20  # bytes: models pass through
PROBE_S = 2.0  # between two looks at the head
PROBE_WAIT_S = 3.0
MISSES = 3  # in a row, until the head counts as gone
MATCH_LEVEL = "RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL"
THREADS = 4  # of an actor: a poll that waits holds up no other call
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # of glibc
MMAP_BYTES, ARENAS = 1_000_000, 2


def main() -> None:
    """Connect, and hand on until the other side hangs up."""
    with process_of_ours() as connection:
        _return_memory()
        send, messages = MessageSender(connection), received(connection, PIECE)
        connect = next(messages, None)
        if not isinstance(connect, Connect):
            return
        sys.path[:] = connect.path or sys.path
        os.environ.setdefault(MATCH_LEVEL, "minor")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        with ExitStack() as ending:
            try:
                has_token = _check(connect.address)
                ray = _import_ray()
                ending.enter_context(_connected(ray, connect))
                rooms = _rooms(ray)
            except AloError as error:
                is_usage = isinstance(error, UsageError)
                send(Refused(what=error.what, where=error.where, fix=error.fix, is_usage=is_usage))
                return
            send(Connected(rooms, has_token))
            if not connect.address.is_own:
                _watch(connect.address, send)
            _hand_on(Actors(ray, send), messages)
            if connect.address.is_own:  # it need not be left in order: the driver kills all of it
                os._exit(0)


def _return_memory() -> None:
    """Have the C library give back the pieces of models that pass through, and not keep them.

    It takes what is freed for a sign of what is to come, in an arena for each of Ray's threads.
    """
    with suppress(OSError, AttributeError):  # another C library
        c_library = ctypes.CDLL(None)
        c_library.mallopt(M_MMAP_THRESHOLD, MMAP_BYTES)
        c_library.mallopt(M_ARENA_MAX, ARENAS)


def _check(address: Address) -> bool:
    """Whether the cluster asks for a token, which there is; one of our own does."""
    if address.is_own:
        guard_with_token(os.environ)
        return True
    has_token = check_head(address, os.environ)
    if has_token:  # where the token is known, that it is to be used need not be said
        os.environ[MODE] = "token"
    return has_token


def _import_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            f"Ray is not installed here: {error}", fix="pip install 'open-alo[ray]'"
        ) from error
    return ray


@contextmanager
def _connected(ray: Any, connect: Connect) -> Iterator[None]:
    address = connect.address
    try:
        if address.is_own:
            start_cluster(ray, connect.folder, connect.cpus)
        else:
            connect_to(ray, address=address.text)
    except Exception as error:  # whatever Ray says
        raise refusal_of(error, address) from error
    try:
        yield
    finally:
        with suppress(Exception):  # of a cluster that is gone
            ray.shutdown()


def _rooms(ray: Any) -> tuple[Room, ...]:
    return tuple(
        Room(
            name=str(node["NodeName"]),
            cpu=node["Resources"].get("CPU", 0.0),
            gpu=node["Resources"].get("GPU", 0.0),
            memory=node["Resources"].get("memory", 0.0),
        )
        for node in ray.nodes()
        if node["Alive"]
    )


def _watch(address: Address, send: MessageSender) -> None:
    """Look at the head from time to time: Ray itself takes a minute to miss it."""

    def look() -> None:
        misses, problem = 0, ""
        while misses < MISSES:
            threading.Event().wait(PROBE_S)
            problem = connect_problem(address.host, address.port, PROBE_WAIT_S)
            misses = misses + 1 if problem else 0
        with suppress(OSError):
            send(Gone(f"its head at {address.target} is gone: {problem}"))

    threading.Thread(target=look, daemon=True).start()


def _hand_on(actors: Actors, messages: Iterator[object]) -> None:
    for message in messages:
        if isinstance(message, Call):
            actors.call(message)
        elif isinstance(message, Open):
            actors.open(message)
        elif isinstance(message, Close):
            actors.close(message)


class Actors:
    """The actors of a driver, by slot.

    Args:
        ray: the module, connected.
        send: takes what comes of calls.
    """

    def __init__(self, ray: Any, send: MessageSender) -> None:
        self._ray, self._send = ray, send
        self._actors: dict[int, Any] = {}

    def open(self, message: Open) -> None:
        """Have an actor made. ``max_restarts=0``: who tries again is ALO."""
        from alo.executors.node.node import Node

        asked = message.resources
        options = {
            "num_cpus": asked.cpu or 1,
            "num_gpus": asked.gpu,
            "memory": asked.memory or None,
            "max_restarts": 0,
            "max_task_retries": 0,
            "max_concurrency": THREADS,
            "scheduling_strategy": "SPREAD",
        }
        self._actors[message.slot] = self._ray.remote(Node).options(**options).remote()

    def call(self, message: Call) -> None:
        """Call a method; what it returns is sent once it does."""
        try:
            actor = self._actors[message.slot]
            reference = getattr(actor, message.method).remote(*message.args)
            future = reference.future()
        except Exception as error:  # whatever Ray says
            self._send(failed(message.number, error))
            return
        future.add_done_callback(lambda done: self._answer(message.number, done))

    def close(self, message: Close) -> None:
        """End an actor, with what it does."""
        actor = self._actors.pop(message.slot, None)
        if actor is not None:
            with suppress(Exception):  # it is gone
                self._ray.kill(actor)

    def _answer(self, number: int, done: Any) -> None:
        try:
            answer: object = Answered(number, done.result())
        except BaseException as error:  # whatever Ray says, in a thread of its
            answer = failed(number, error)
        with suppress(OSError):  # the driver is gone
            self._send(answer)


def failed(number: int, error: BaseException) -> Failed:
    """The message that there is no answer, and why, in a line or two."""
    cause = getattr(error, "cause", None)  # of an error that the actor itself has raised
    if isinstance(cause, AloError):
        return Failed(number, cause.what, cause)
    shown = cause if isinstance(cause, BaseException) else error
    lines = [line.strip() for line in str(shown).splitlines() if line.strip()]
    return Failed(number, f"{type(shown).__name__}: {' '.join(lines[:3])}"[:500])
