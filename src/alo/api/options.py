"""Options of the Python API: a value that no option has is refused at once, and what it can be."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from alo.errors import UsageError
from alo.layout import KINDS
from alo.plan.suggest import did_you_mean, listed, nearest

ALL = "all"
MODES = (*KINDS, ALL)


def one_of(option: str, value: object, allowed: Sequence[str]) -> str:
    """The value, if it is one of those allowed."""
    if isinstance(value, str) and value in allowed:
        return value
    near = nearest(value, allowed) if isinstance(value, str) else ""
    guess = f"; did you mean '{near}'?" if near else ""
    raise UsageError(f"{option} is {value!r}{guess}", fix=f"it can be {listed(allowed)}")


def kind_of(option: str, value: object, allowed: Sequence[str] = KINDS) -> str:
    """A pipeline's kind; ``train_pipeline`` is as good as ``train``."""
    bare = value.removesuffix("_pipeline") if isinstance(value, str) else value
    return one_of(option, bare, allowed)


def text(option: str, value: object) -> str:
    """A text, or nothing."""
    if value is None or isinstance(value, str):
        return value or ""
    raise UsageError(f"{option} is {value!r}, which is no text")


def path(option: str, value: object) -> Path:
    """A path as text or as an object."""
    if isinstance(value, str | os.PathLike):
        return Path(value)
    raise UsageError(f"{option} is {value!r}, which is no path")


def paths(option: str, value: object) -> tuple[str, ...]:
    """A path, or several; empty for none."""
    each = [value] if isinstance(value, str | os.PathLike) else value
    if not isinstance(each, list | tuple):
        raise UsageError(f"{option} is {value!r}; it has to be a path or a list of paths")
    return tuple(os.fspath(path(option, one)) for one in each if one != "")


def names(option: str, value: object) -> tuple[str, ...]:
    """A name, or several."""
    each = [value] if isinstance(value, str) else value
    if isinstance(each, list | tuple) and all(isinstance(one, str) for one in each):
        return tuple(each)
    raise UsageError(f"{option} is {value!r}; it has to be a name or a list of names")


def steps(value: object, known: Sequence[str], pipeline: str) -> list[str]:
    """The steps asked for, in the order they run: ``all`` in any case, a name, or names."""
    asked = names("steps", value)
    if any(name.casefold() == ALL and name not in known for name in asked):
        return list(known)
    if not asked:
        raise UsageError("steps is empty", fix=f"the {pipeline} has: {listed(known)}; or 'all'")
    for name in asked:
        known_step(name, known, pipeline)
    return [name for name in known if name in asked]


def known_step(name: object, known: Sequence[str], pipeline: str) -> str:
    """A step's name, if the pipeline has it."""
    if name in known:
        return str(name)
    guess = did_you_mean(name, known) if isinstance(name, str) else ""
    hint = guess if guess.startswith("did you mean") else ""
    raise UsageError(
        f"no step {name!r} in the {pipeline}" + (f"; {hint}" if hint else ""),
        fix=f"it has: {listed(known)}",
    )
