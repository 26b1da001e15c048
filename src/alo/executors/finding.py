"""Finds an executor by name: ``local``, the entry points of ``alo.executors``, ``module:Class``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from alo.engine.spec import Job
from alo.errors import UsageError
from alo.executors.local import LOCAL, LocalExecutor
from alo.executors.task import Executor
from alo.plan.suggest import did_you_mean

GROUP = "alo.executors"

Maker = Callable[[Mapping[str, Job], int], Executor]


def make_executor(name: str, jobs: Mapping[str, Job], tasks: int) -> Executor:
    """The executor of this name.

    Args:
        jobs: by pipeline.
        tasks: how many run at once.
    Raises:
        UsageError: there is none of that name, or it cannot be made.
    """
    if name == LOCAL:
        return LocalExecutor(jobs, tasks)
    return _maker(name, next(iter(jobs.values())).workspace.home)(jobs, tasks)


def _maker(name: str, home: Path) -> Maker:
    module, colon, attribute = name.partition(":")
    if colon and module and "/" not in name:
        try:
            with _on_path(home):
                found: Maker = getattr(import_module(module), attribute)
            return found
        except (ImportError, AttributeError) as error:
            raise UsageError(f"--computing {name}: {error}", fix="write MODULE:CLASS") from error
    from importlib.metadata import entry_points

    known = {each.name: each for each in entry_points(group=GROUP)}
    if name not in known:
        raise UsageError(
            f"--computing {name}: there is no such executor; {did_you_mean(name, [LOCAL, *known])}",
            fix="local runs on this machine; MODULE:CLASS is one of yours",
        )
    found = known[name].load()
    return found


@contextmanager
def _on_path(home: Path) -> Iterator[None]:
    """The project's own modules are found, behind all others."""
    sys.path.append(str(home))
    try:
        yield
    finally:
        sys.path.remove(str(home))
