"""What a step's result depends on, and why one of them cannot replace another."""

from __future__ import annotations

from collections.abc import Mapping

from alo.masking import masked
from alo.named_tuples import NamedTuple

LONGEST_VALUE = 60  # characters of a value that has changed


class StepKey(NamedTuple):
    """All that a step's result depends on, each as a text that differs where it does."""

    args: Mapping[str, str]
    context: Mapping[str, str]  # what else the asset is given: where, as which step, for what
    code: Mapping[str, str]  # file → checksum: of the asset, and each module that may be used
    requirements: tuple[str, ...]
    packages: Mapping[str, str]  # Python and the packages it had imported
    data_id: str
    train_files: Mapping[str, str]  # of an inference: the models, and what else train has left
    incoming: str  # what the step before hands on
    files: Mapping[
        str, str
    ]  # step → what it did to the files and the summary of this run, if anything


def difference(before: StepKey, now: StepKey) -> str:
    """Why a stored step cannot replace one that would run now; empty if it can."""
    if before.args != now.args:
        return f"args changed: {_changes(before.args, now.args)}"
    if list(before.args) != list(now.args):
        return "args changed: their order"
    if before.code != now.code:
        return f"code changed: {_names(before.code, now.code)}"
    if before.requirements != now.requirements:
        return "requirements changed"
    if before.packages != now.packages:
        return f"packages changed: {_changes(before.packages, now.packages)}"
    if before.data_id != now.data_id:
        return "input data changed"
    if before.train_files != now.train_files:
        return f"{_names(before.train_files, now.train_files)} changed"
    if before.incoming != now.incoming:
        return "what the step before hands on changed"
    if before.files != now.files:
        return f"files or summary changed that were left by {_names(before.files, now.files)}"
    if before.context != now.context:
        return f"its place in the run changed: {_changes(before.context, now.context)}"
    return ""


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    changes = []
    for key in sorted({*before, *now}):
        if key not in now:
            changes.append(f"{key} is gone")
        elif key not in before:
            changes.append(f"{key} {_short(now[key])} is new")
        elif before[key] != now[key]:
            changes.append(f"{key} {_short(before[key])} → {_short(now[key])}")
    return masked(", ".join(changes))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."


def _names(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    names = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    return ", ".join([*names[:3], "..."] if len(names) > 3 else names)
