"""What the driver and the process in which Ray lives say to each other."""

from __future__ import annotations

from dataclasses import dataclass

from alo.errors import AloError
from alo.executors.ray.address import Address
from alo.plan.model import Resources


@dataclass(frozen=True, slots=True)
class Connect:
    """The first message to the process."""

    address: Address
    path: tuple[str, ...]  # where modules are found
    cpus: int = 0  # of a cluster of our own; 0: as many as there are
    folder: str = ""  # for its sockets and logs


@dataclass(frozen=True, slots=True)
class Room:
    """What a node of the cluster has."""

    name: str
    cpu: float
    gpu: float
    memory: float  # bytes


@dataclass(frozen=True, slots=True)
class Connected:
    """There is a cluster."""

    rooms: tuple[Room, ...]
    has_token: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """There is none, and why; nothing more comes."""

    what: str
    where: str = ""
    fix: str = ""
    is_usage: bool = False  # the address or a version is not right


@dataclass(frozen=True, slots=True)
class Open:
    """Have an actor made for a slot; it may wait for room."""

    slot: int
    resources: Resources


@dataclass(frozen=True, slots=True)
class Call:
    """Call a method of a slot's actor."""

    number: int
    slot: int
    method: str
    args: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """What a call has returned."""

    number: int
    value: object


@dataclass(frozen=True, slots=True)
class Failed:
    """A call that no answer comes to: the actor is gone, or cannot do it."""

    number: int
    reason: str
    error: AloError | None = None  # that the actor has raised, which is there


@dataclass(frozen=True, slots=True)
class Close:
    """End a slot's actor."""

    slot: int


@dataclass(frozen=True, slots=True)
class Gone:
    """The cluster is: its head does not answer any more."""

    reason: str
