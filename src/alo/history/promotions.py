"""Which model answered when: every deployment, in the order it was made.

``solution/promotions.jsonl`` is only ever appended to. ``deployment.json`` says what is chosen now,
and all that its line has to say: a process may have been killed between the two.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from alo.errors import HistoryError
from alo.files import append_line
from alo.history.deployment import CURRENT, NOTHING, Deployment, read_deployment
from alo.json_text import ordinary_bytes
from alo.layout import Workspace

NAME = "promotions.jsonl"
_DAMAGE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)  # of a line
FOUND = "found in deployment.json"  # why, where an earlier ALO has not written it


class Promotion(NamedTuple):
    """One change of the deployed model."""

    when: str  # UTC
    who: str
    run: str  # empty: the workspace's current model
    before: str  # what services used until then
    why: str  # deploy, rollback, or a reason
    comparison: Mapping[str, object] | None = None  # with which it was compared, and how

    def to_json(self) -> dict[str, object]:
        """A line of the file."""
        fields = self._asdict()
        fields["from"] = fields.pop("before")
        return fields


def note_promotion(workspace: Workspace, deployment: Deployment) -> None:
    """Append what is deployed, unless it is the last line already, or nothing was ever chosen.

    Raises:
        OSError: it cannot be written.
    """
    path = _path(workspace)
    if not deployment.when or _is_of(_last(path), deployment):
        return
    made = _promotion_of(deployment).to_json()
    append_line(path, json.dumps(made, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def promotions(workspace: Workspace) -> list[Promotion]:
    """Every deployment, the oldest first.

    Raises:
        HistoryError: the file is damaged.
    """
    found = _stored(_path(workspace))
    now = _deployed(workspace)
    if now.when and not _is_of(found[-1] if found else None, now):
        found.append(_promotion_of(now))
    return found


def promoted_ids(workspace: Workspace) -> frozenset[str]:
    """The runs that the last promotion needs: the one that was deployed, and the way back.

    None where the file cannot be read.
    """
    try:
        last = _stored(_path(workspace))[-1:]
    except (HistoryError, OSError):
        return frozenset()
    return frozenset(run for each in last for run in (each.run, each.before)) - {"", CURRENT}


def model_at(found: Sequence[Promotion], when: str) -> Promotion | None:
    """The deployment that was in force at a time; None: before the first.

    Args:
        when: UTC, as promotions have it.
    """
    earlier = [each for each in found if each.when <= when]
    return earlier[-1] if earlier else None


def run_of(promotion: Promotion) -> str:
    """The run that was deployed, or the word for the workspace's current model."""
    return promotion.run or CURRENT


def _promotion_of(now: Deployment) -> Promotion:
    return Promotion(now.when, now.who, now.run, now.before, now.why or FOUND, now.comparison)


def _is_of(last: Promotion | None, now: Deployment) -> bool:
    """Whether the last line is of what is deployed."""
    return last is not None and (last.when, last.run) == (now.when, now.run)


def _deployed(workspace: Workspace) -> Deployment:
    try:
        return read_deployment(workspace)
    except HistoryError:
        return NOTHING


def _last(path: Path) -> Promotion | None:
    """The last line, whatever those before it are: damage to the past stops no rollback."""
    with suppress(HistoryError):
        for line in reversed(_lines(path)):
            with suppress(*_DAMAGE):
                return _promotion(json.loads(line))
    return None


def _lines(path: Path) -> list[bytes]:
    try:
        return ordinary_bytes(path).split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise HistoryError(
            f"the promotions cannot be read: {error.strerror or error}", where=str(path)
        ) from error


def _stored(path: Path) -> list[Promotion]:
    lines = _lines(path)
    found: list[Promotion] = []
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            found.append(_promotion(json.loads(line)))
        except _DAMAGE as error:
            if number >= len(lines) - 1:  # torn by a kill
                continue
            raise HistoryError(
                f"line {number} of the promotions is damaged: {error}",
                where=str(path),
                fix="restore the file from a backup, or remove the line",
            ) from error
    return found


def _promotion(content: Mapping[str, object]) -> Promotion:
    comparison = content.get("comparison")
    return Promotion(
        str(content["when"]),
        str(content["who"]),
        str(content["run"]),
        str(content["from"]),
        str(content["why"]),
        comparison if isinstance(comparison, dict) else None,
    )


def _path(workspace: Workspace) -> Path:
    return workspace.home / "solution" / NAME
