"""What the steps of a run have saved: for the next step, for ``--resume`` and the cache.

Here: when a stored step may stand for one that would run now, and putting back what it had saved.
Not here: how values and files are stored (``alo/store``).
"""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from alo.engine.environment import (
    imported_packages,
    package_version,
    packages_folder,
    python_version,
)
from alo.engine.preflight import Job
from alo.engine.task import META, Inputs
from alo.errors import StoreError
from alo.files import checksum, checksum_of
from alo.history.folders import FAILED, entry_names
from alo.history.record import plain
from alo.layout import KINDS, Workspace, without_digits
from alo.plan.model import Plan
from alo.store import StepStore, StoredStep
from alo.store.results import KeptStep, ResultShelf, StepKey, difference


class Reused(NamedTuple):
    """A step that need not run."""

    kept: KeptStep
    stored: StoredStep


class StepMemory:
    """What this run stores, and what it may take from earlier ones."""

    def __init__(self, job: Job, run_id: str) -> None:
        self._job, self._run_id = job, run_id
        self._workspace, self._kind = job.workspace, job.pipeline.kind
        self._store = StepStore(job.workspace.interface)
        self._shelf = ResultShelf(job.workspace.interface)
        self._shelf.claim(self._kind, run_id, str(job.workspace.home))
        self._follows = bool(job.part.resumes or job.part.first)
        self._models: str | None = None
        self._modules_seen = 0
        self._packages_seen: dict[str, str] = {}

    @property
    def hands_on_files(self) -> bool:
        """Whether values go from step to step through the store."""
        return self._job.plan.control.interface_mode == "file"

    def look(self) -> "Snapshot":
        """The artifacts as they are before a step."""
        return Snapshot.of(self._workspace.artifacts(self._kind))

    def reuse(self, inputs: Inputs) -> tuple[Reused | None, str]:
        """The stored step that stands for this one; or None, and why there is none."""
        candidates, reason = self._candidates(inputs)
        reasons = []
        for kept in candidates:
            why = difference(kept.key, self._key_now(inputs, kept.key))
            if not why and (reused := self._put_back(kept)):
                return reused, ""
            reasons.append(why or "what was kept of it is damaged")
        return None, reasons[0] if reasons else reason

    def save(
        self, inputs: Inputs, data: Mapping[str, object], config: Mapping[str, object]
    ) -> StoredStep:
        """Store what a step saved; ``keep`` comes next.

        Raises:
            StoreError: a value cannot be stored, or there is no room.
        """
        own = {key: value for key, value in config.items() if key != META}
        name, given = inputs.step.name, inputs.incoming
        return self._store.save(self._run_id, self._kind, name, data, own, incoming=given)

    def keep(
        self,
        inputs: Inputs,
        before: "Snapshot",
        modules: Mapping[str, str],
        summary: Mapping[str, object] | None,
        data_keys: tuple[str, ...],
        packages: Mapping[str, str] | None = None,
    ) -> None:
        """Keep what a step wrote, and what its result depends on.

        Args:
            before: the artifacts before the step.
            modules: of the project that it imported: name → checksum.
            packages: that it imported: name → version; None: those of this process.
        Raises:
            StoreError: there is no room.
        """
        after = self.look()
        packages = self._packages() if packages is None else packages
        kept = KeptStep(
            self._run_id,
            self._kind,
            inputs.step.name,
            self._key(inputs, {**inputs.code, **modules}, packages),
            {},
            tuple(sorted(before.files.keys() - after.files.keys())),
            tuple(sorted(after.folders - before.folders)),
            summary,
            data_keys,
        )
        written = [name for name, stamp in after.files.items() if before.files.get(name) != stamp]
        self._shelf.keep(kept, self._workspace.artifacts(self._kind), sorted(written))

    def _packages(self) -> Mapping[str, str]:
        """Versions of Python and of what has been imported; told anew when more has been."""
        if len(sys.modules) != self._modules_seen:
            self._modules_seen = len(sys.modules)
            self._packages_seen = {"python": python_version(), **imported_packages()}
        return self._packages_seen

    def load(self, stored: StoredStep) -> tuple[dict[str, object], dict[str, object]]:
        """Data and config of a stored step.

        Raises:
            StoreError: something is missing or damaged.
        """
        return self._store.load(stored)

    def adopt(self, stored: StoredStep) -> StoredStep:
        """What a step of another run saved, as this run's own.

        Raises:
            StoreError: a part of it is missing.
        """
        return self._store.adopt(stored, self._run_id)

    def _candidates(self, inputs: Inputs) -> tuple[Iterable[KeptStep], str]:
        """The stored steps that may stand for this one, and the reason if there are none."""
        part, step = self._job.part, inputs.step
        names = [each.name for each in self._job.pipeline.steps]
        if part.first and inputs.number >= names.index(part.first):
            return [], ""
        found: Iterable[KeptStep] = ()
        if self._follows and part.resumes:
            kept = self._shelf.find(self._kind, part.resumes, step.name)
            found = [kept] if kept else []
        elif self._follows:
            found = self._shelf.recent(self._kind, step.name)
        elif self._job.plan.control.cache and step.cache:
            found = self._shelf.recent(self._kind, step.name)
            return found, "no earlier result"
        elif self._job.plan.control.cache:
            return [], "cache: False"
        return found, ""

    def stop_following(self) -> None:
        """From here on only the cache may stand for a step."""
        self._follows = False

    @property
    def follows(self) -> bool:
        """Whether earlier steps are taken from a run that is resumed."""
        return self._follows

    def _put_back(self, kept: KeptStep) -> Reused | None:
        """Use a kept step; None where its values or files are not whole any more."""
        try:
            stored = self._store.find(kept.run_id, kept.kind, kept.step)
            if stored is None:
                return None
            if not self._shelf.put_back(kept, self._workspace.artifacts(self._kind)):
                return None
            if kept.run_id != self._run_id:
                stored = self._store.adopt(stored, self._run_id)
                self._shelf.adopt(kept, self._run_id)
        except StoreError:
            return None
        return Reused(kept, stored)

    def _key_now(self, inputs: Inputs, before: StepKey) -> StepKey:
        """The key as it would be now, of the modules and packages that the step had used before."""
        own = f"assets/{inputs.step.name}/"
        modules = {
            name: _checksum_or_nothing(self._workspace.home / name)
            for name in before.code
            if not name.startswith(own)
        }
        python = self._job.pythons.get(inputs.step.name)
        folders = [packages_folder(python)] if python else sys.path
        packages = {
            name: python_version() if name == "python" else package_version(name, folders)
            for name in before.packages
        }
        return self._key(inputs, {**inputs.code, **modules}, packages)

    def _key(self, inputs: Inputs, code: Mapping[str, str], packages: Mapping[str, str]) -> StepKey:
        step = inputs.step
        args = plain(step.args)
        return StepKey(
            place=_place(self._job, inputs),
            args=args if isinstance(args, Mapping) else {},
            code=code,
            requirements=step.source.requirements,
            packages=packages,
            data_id=inputs.data_id,
            incoming=_digest(inputs.incoming),
            models=self._models_digest() if self._kind == "inference" else "",
            target=_target(self._job.plan, self._kind, self._job.metadata_version),
        )

    def _models_digest(self) -> str:
        if self._models is None:
            models = self._workspace.models
            lines = [
                f"{name}\0{checksum(models / name)}" for name in sorted(Snapshot.of(models).files)
            ]
            self._models = checksum_of("\n".join(lines).encode("utf-8", "surrogateescape"))
        return self._models


class Snapshot(NamedTuple):
    """The files and folders of an artifacts folder, its logs left out."""

    files: Mapping[str, tuple[int, int, int]]  # name → size, time, inode
    folders: frozenset[str]

    @classmethod
    def of(cls, folder: Path) -> "Snapshot":
        files: dict[str, tuple[int, int, int]] = {}
        folders: set[str] = set()
        pending = [""]
        while pending:
            prefix = pending.pop()
            try:
                entries = list(os.scandir(folder / prefix))
            except FileNotFoundError:
                continue
            for entry in entries:
                name = f"{prefix}{entry.name}"
                if name == "log":
                    continue
                if entry.is_dir():
                    folders.add(name)
                    pending.append(f"{name}/")
                elif entry.is_file():
                    status = entry.stat()
                    files[name] = (status.st_size, status.st_mtime_ns, status.st_ino)
        return cls(files, frozenset(folders))


def forget_runs(workspace: Workspace, run_ids: Sequence[str]) -> None:
    """Remove what the steps of these runs have stored: their history is gone."""
    if run_ids and workspace.interface.is_dir():
        StepStore(workspace.interface).forget(run_ids)
        ResultShelf(workspace.interface).forget(run_ids)


def forget_unknown_runs(workspace: Workspace, current: str) -> None:
    """Remove what was stored by runs of this workspace that have no history any more.

    A process that was killed while it removed their history has left it.
    """
    shelf = ResultShelf(workspace.interface)
    gone = [
        run_id
        for kind in KINDS
        for run_id in {*shelf.runs(kind)} - _in_history(workspace, kind) - {current}
        if shelf.is_claimed(kind, run_id, str(workspace.home))
    ]
    forget_runs(workspace, gone)


def _in_history(workspace: Workspace, kind: str) -> set[str]:
    names = entry_names(workspace.history / kind)
    return {name.removesuffix(FAILED) for name in names}


def _place(job: Job, inputs: Inputs) -> str:
    """What the step can tell of its place: number, the step before, and namesakes of its models."""
    names = [step.name for step in job.pipeline.steps]
    bare = without_digits(inputs.step.name)
    train = [step.name for step in job.plan.train.steps] if job.plan.train else []
    alike = sorted({name for name in (*names, *train) if without_digits(name) == bare})
    before = names[inputs.number - 1] if inputs.number else ""
    return f"{job.pipeline.name} {inputs.number} after {before or 'nothing'}, {' '.join(alike)}"


def _target(plan: Plan, kind: str, metadata_version: str) -> str:
    return f"{plan.external.save_artifacts(kind)} {metadata_version}".strip()


def _digest(stored: StoredStep | None) -> str:
    if stored is None:
        return ""
    contents = [[value.content for value in values] for values in (stored.data, stored.config)]
    return checksum_of(repr(contents).encode("utf-8", "backslashreplace"))


def _checksum_or_nothing(path: Path) -> str:
    return checksum(path) if path.is_file() else ""
