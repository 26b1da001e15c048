"""Where whole pipeline runs go: this machine's cores, or whatever a class of yours leads to."""

from alo.executors.depot import Depot
from alo.executors.task import (
    Args,
    Chunk,
    Done,
    Executor,
    Lost,
    Result,
    RunDone,
    RunEvent,
    Task,
    TaskEvent,
)

__all__ = [
    "Args",
    "Chunk",
    "Depot",
    "Done",
    "Executor",
    "Lost",
    "Result",
    "RunDone",
    "RunEvent",
    "Task",
    "TaskEvent",
]
