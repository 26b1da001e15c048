"""What is deployed: which model was chosen, which is used, what its check said (spec 9).

``solution/deployment.json`` is written by ``alo deploy`` and by the services that follow it, each
change under a lock. Running services look at it, and so does the clean-up of history: what is
deployed, what was used before, and what runs in the shadow is never removed.
"""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from alo.errors import HistoryError
from alo.files import alone_with, write_whole
from alo.history.entries.names import entry_folder
from alo.history.ids import utc_now, utc_text
from alo.history.models_origin import NAMELESS, current_train_id
from alo.json_text import json_bytes, json_file
from alo.layout import Workspace
from alo.named_tuples import NamedTuple

NAME = "deployment.json"
STAGED = ".deployment.next.json"  # beside it, while it is written
FORMAT = 2
CURRENT = "current"  # in the place of a run: the workspace's current model
PASSED, FAILED, UNCHECKED = "passed", "failed", "not yet"
MOST_BYTES = 10_000_000  # of the file
LOCK_S = 3.0  # that others may keep it locked: a stopped process must not stop services, too
MOST_CHECKS = 100  # runs whose check is remembered, in addition to those that a deployment needs


class Check(NamedTuple):
    """What became of a model that was to answer a sample."""

    verdict: str = UNCHECKED  # or passed, failed
    reason: str = ""
    when: str = ""


class Use(NamedTuple):
    """The model that one service uses."""

    run: str = ""
    since: str = ""


class Deployment(NamedTuple):
    """Train runs, by id; empty: none."""

    run: str = ""  # chosen; none: the workspace's current model
    before: str = ""  # what services used until it was chosen, for a rollback; or ``CURRENT``
    shadow: str = ""  # whose model sees the same requests, and whose answers are not sent
    who: str = ""  # has chosen
    when: str = ""  # as no other choice
    why: str = ""  # it was chosen: deploy, rollback, or a reason
    comparison: Mapping[str, object] | None = None  # with what it was compared before, in short
    checks: Mapping[str, Check] = {}
    services: Mapping[str, Use] = {}  # by the name of the service's folder

    def check_of(self, run_id: str) -> Check:
        """What is known of a model."""
        return self.checks.get(run_id, Check())

    def has_failed(self, run_id: str) -> bool:
        """Whether a model is not to be used."""
        return self.check_of(run_id).verdict == FAILED

    @property
    def in_use(self) -> str:
        """The run whose model is to answer; empty: the workspace's current model.

        Never one that has failed its check: then what was used before stays in use.
        """
        run_id = self.before if self.has_failed(self.run) else self.run
        return "" if run_id == CURRENT else run_id

    @property
    def is_without_way_back(self) -> bool:
        """Whether the chosen model has failed, and services stay with what they use."""
        return self.has_failed(self.run) and not self.before

    def in_short(self) -> dict[str, object]:
        """As the studio and its audit have it."""
        return {
            "run": self.run,
            "before": self.before,
            "shadow": self.shadow,
            "who": self.who,
            "when": self.when,
            "check": self.check_of(self.run)._asdict(),
        }

    @property
    def ids(self) -> frozenset[str]:
        """The runs that must stay in history."""
        used = (use.run for use in self.services.values())
        return frozenset((self.run, self.before, self.shadow, *used)) - {"", CURRENT}

    def choose(
        self,
        run_id: str,
        who: str,
        used: str,
        why: str = "",
        comparison: Mapping[str, object] | None = None,
    ) -> "Deployment":
        """Have services use a model; one that has failed before is tried again.

        Args:
            run_id: empty: the workspace's current model.
            used: the run whose model services use now, to go back to; or ``CURRENT``.
            why: it is chosen.
            comparison: of this model with the one before, in short.
        """
        checks = {each: check for each, check in self.checks.items() if each != run_id}
        when = utc_text(time.time())  # two choices may be made within a second
        chosen = self._replace(
            run=run_id, who=who, when=when, why=why, comparison=comparison, checks=checks
        )
        target = run_id or CURRENT
        if used != target:
            return chosen._replace(before=used)
        if self.before != target:
            return chosen
        # Taken back before a service has switched: the way back is to what it was taken back from.
        return chosen._replace(before="" if self.has_failed(self.run) else self.run or CURRENT)

    def checked(self, run_id: str, verdict: str, reason: str = "") -> "Deployment":
        """What a service found when it tried a model; a failure stays until it is chosen again."""
        if self.has_failed(run_id):
            return self
        checks = {each: check for each, check in self.checks.items() if each != run_id}
        checks[run_id] = Check(verdict, reason, utc_now())
        needed = self.ids
        others = [each for each in checks if each not in needed][:-MOST_CHECKS]
        return self._replace(checks={k: v for k, v in checks.items() if k not in others})

    def used_by(self, service: str, run_id: str) -> "Deployment":
        """A service uses this model from now on."""
        return self._replace(services={**self.services, service: Use(run_id, utc_now())})

    def without(self, *services: str) -> "Deployment":
        """These services have ended."""
        left = {name: use for name, use in self.services.items() if name not in services}
        return self._replace(services=left)


NOTHING = Deployment()
Changed = Callable[[Deployment, Deployment], None]  # receives the state before, and after


def _unnoted(before: Deployment, after: Deployment) -> None:
    """Nobody has to know."""


def read_deployment(workspace: Workspace) -> Deployment:
    """What is deployed; nothing where no choice was made.

    Raises:
        HistoryError: the file is damaged, or of a newer ALO.
    """
    path = _path(workspace)
    try:
        return _from_json(json_file(path, most=MOST_BYTES))
    except FileNotFoundError:
        return NOTHING
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise HistoryError(
            f"what is deployed cannot be read: {error}",
            where=str(path),
            fix="alo deploy RUN_ID writes it anew",
        ) from error


def change_deployment(
    workspace: Workspace,
    change: Callable[[Deployment], Deployment],
    *,
    replaces_damaged: bool = False,
    first: Changed = _unnoted,
    then: Changed = _unnoted,
) -> Deployment:
    """Read, change and write what is deployed, one process at a time; returns what is written.

    Args:
        replaces_damaged: start from nothing where the file cannot be read.
        first: called once all but the change itself is done: where it fails, nothing is changed.
        then: called after the change, which nobody else has changed yet.
    Raises:
        HistoryError: the file is damaged.
        OSError: it cannot be written, or another process keeps it locked.
    """
    path = _path(workspace)
    path.parent.mkdir(exist_ok=True)
    with alone_with(path.parent, LOCK_S):
        try:
            before = read_deployment(workspace)
        except HistoryError:
            if not replaces_damaged:
                raise
            before = NOTHING
        after = change(before)
        if after != before or replaces_damaged:
            content = json_bytes(_to_json(after), indent=2) + b"\n"
            staged = path.with_name(STAGED)
            try:
                write_whole(staged, content)
                first(before, after)
                os.replace(staged, path)  # which needs no room
            finally:
                staged.unlink(missing_ok=True)
            then(before, after)
    return after


def deployed_ids(workspace: Workspace) -> frozenset[str]:
    """The runs that a deployment needs; none where it cannot be read."""
    try:
        return read_deployment(workspace).ids
    except HistoryError:
        return frozenset()


def deployment_stamp(workspace: Workspace) -> tuple[int, int, int]:
    """Differs once the file does."""
    try:
        status = _path(workspace).stat()
    except OSError:
        return (0, 0, 0)
    return (status.st_mtime_ns, status.st_ino, status.st_size)


def has_models_of(workspace: Workspace, run_id: str) -> bool:
    """Whether history has the models of a train run."""
    return run_id not in NAMELESS and (entry_folder(workspace, "train", run_id) / "models").is_dir()


def run_in_use(workspace: Workspace, deployment: Deployment) -> str:
    """The run whose model is to answer; ``NO_TRAIN_RUN`` where no run is known to have made it."""
    return deployment.in_use or current_train_id(workspace)


def models_of(workspace: Workspace, run_id: str) -> Path:
    """The folder of a train run's models.

    Raises:
        HistoryError: it is not there any more.
    """
    folder = entry_folder(workspace, "train", run_id) / "models"
    if not folder.is_dir():
        raise HistoryError(
            f"the model of run {run_id} is not in history",
            where=str(folder),
            fix="alo deploy RUN_ID takes another one",
        )
    return folder


def _from_json(content: Mapping[str, object]) -> Deployment:
    """Of this format, or of the first: ``{"run", "previous", "shadow"}``."""
    number = content.get("format", 1)
    if number == 1:
        run_id, before, shadow = (_text(content, name) for name in ("run", "previous", "shadow"))
        return Deployment(run_id, before, shadow)
    if number != FORMAT:
        raise ValueError(f"it has the format {number!r} of a newer ALO; this one writes {FORMAT}")
    chosen = _mapping(content, "chosen")
    return Deployment(
        _text(chosen, "run"),
        _text(content, "before"),
        _text(content, "shadow"),
        _text(chosen, "who"),
        _text(chosen, "when"),
        _text(chosen, "why"),
        _mapping(chosen, "comparison") or None,
        {run: Check(*_texts(Check, each)) for run, each in _mapping(content, "checks").items()},
        {name: Use(*_texts(Use, each)) for name, each in _mapping(content, "services").items()},
    )


def _to_json(deployment: Deployment) -> dict[str, object]:
    return {
        "format": FORMAT,
        "chosen": {
            "run": deployment.run,
            "who": deployment.who,
            "when": deployment.when,
            "why": deployment.why,
            "comparison": deployment.comparison or {},
        },
        "before": deployment.before,
        "shadow": deployment.shadow,
        "checks": {run: check._asdict() for run, check in deployment.checks.items()},
        "services": {name: use._asdict() for name, use in deployment.services.items()},
    }


def _text(content: Mapping[str, object], key: str) -> str:
    found = content.get(key, "")
    if not isinstance(found, str):
        raise TypeError(f"'{key}' is no text")
    return found


def _mapping(content: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = content.get(key, {})
    if not isinstance(found, dict):
        raise TypeError(f"'{key}' is no object")
    return found


def _texts(kind: type[Check] | type[Use], content: object) -> list[str]:
    if not isinstance(content, dict):
        raise TypeError(f"{content!r} is no object")
    return [_text(content, name) for name in kind._fields]


def _path(workspace: Workspace) -> Path:
    return workspace.home / "solution" / NAME
