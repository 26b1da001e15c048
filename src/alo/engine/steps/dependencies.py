"""What the result of a step depends on: the one list, for the cache, ``--resume`` and ``--from``.

What an asset can see and is not here makes a cached result wrong without a word; so whatever the
engine hands to a step comes in by itself (all of its ``envs``), and what it cannot know of (the
time, the network, files outside of the project) is in docs/guides/runs/resume-and-cache.md.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cached_property, lru_cache

from alo.engine.environment import (
    imported_packages,
    package_version,
    packages_folder,
    python_version,
)
from alo.engine.spec import Job
from alo.engine.steps.effects import train_files
from alo.engine.steps.task import Inputs, own_envs, run_envs
from alo.files import checksum, checksum_of
from alo.layout import without_digits
from alo.masking import masked
from alo.plan.values import form
from alo.sources.code.finder import Roots
from alo.store import StoredStep
from alo.store.keys import StepKey

UNLIKE = ("proc_start_time",)  # of what an asset is given: another one in each run
PYTHON = "python"
BOUND = "project folder"  # in a key: the step's result says where it was made
ANYWHERE = "<project>"


class Dependencies:
    """What the steps of a run depend on."""

    def __init__(self, job: Job) -> None:
        self._job, self._home = job, job.code.assets.parent
        self._checksums: dict[str, str] = {}  # of modules, by name
        self._train_files: Mapping[str, str] | None = None
        self._modules_seen = 0
        self._packages: dict[str, str] = {}
        self._versions: dict[tuple[str, str], str] = {}  # by package and interpreter
        self._outside: dict[str, str] = {}

    def now(
        self,
        inputs: Inputs,
        traces: Mapping[str, str],
        modules: Mapping[str, str],
        packages: Mapping[str, str] | None,
        *,
        is_bound: bool = False,
    ) -> StepKey:
        """Of a step that has just run.

        Args:
            traces: of what the steps before it did to files: step → checksum.
            modules: that it may have used: name → checksum.
            packages: that it imported: name → version; None: those of this process, to which
                the modules have to be added that it has from elsewhere.
            is_bound: whether what it saved names the project's folder, of which there are several
                where an executor runs it.
        """
        self._versions = {}
        if packages is not None:
            return self._key(inputs, traces, modules, packages, is_bound)
        self._look_at_modules()
        code = {**modules, **self._outside}
        return self._key(inputs, traces, code, self._packages, is_bound)

    def as_before(self, inputs: Inputs, traces: Mapping[str, str], before: StepKey) -> StepKey:
        """Of a step that would run now, with the modules and packages that it used before."""
        own = f"assets/{inputs.step.name}/"
        modules = {name: self._checksum(name) for name in before.code if not name.startswith(own)}
        python = self._job.code.pythons.get(inputs.step.name, "")
        packages = {name: self._version(name, python) for name in before.packages}
        code = {**inputs.code, **modules}
        return self._key(inputs, traces, code, packages, BOUND in before.context)

    def _key(
        self,
        inputs: Inputs,
        traces: Mapping[str, str],
        code: Mapping[str, str],
        packages: Mapping[str, str],
        is_bound: bool,
    ) -> StepKey:
        step = inputs.step
        return StepKey(
            args={str(key): _kept(value) for key, value in step.args.items()},
            context=self._context(inputs) | ({BOUND: self._place} if is_bound else {}),
            code=code,
            requirements=tuple(map(masked, step.source.requirements)),
            packages=packages,
            data_id=inputs.data_id,
            train_files=self._of_train(),
            incoming=_digest(inputs.incoming),
            files=dict(traces),
        )

    def _context(self, inputs: Inputs) -> dict[str, str]:
        """What the asset is given in addition to its args, its model folder included."""
        envs = own_envs(self._job, inputs.step, inputs.number)
        own = {name: _kept(value) for name, value in envs.items()}
        if self._job.execution.origin is not None:
            own = {name: value.replace(self._place, ANYWHERE) for name, value in own.items()}
        return {
            **self._common_context,
            **own,
            "namesakes": self._namesakes[without_digits(inputs.step.name)],
        }

    @cached_property
    def _common_context(self) -> dict[str, str]:
        envs = run_envs(self._job, 0.0)
        kept = {name: _kept(value) for name, value in envs.items() if name not in UNLIKE}
        if self._job.execution.origin is None:
            return kept
        return {name: value.replace(self._place, ANYWHERE) for name, value in kept.items()}

    @property
    def _place(self) -> str:
        return str(self._job.workspace.home)

    @cached_property
    def _namesakes(self) -> dict[str, str]:
        """The steps of either pipeline by what their names are without digits."""
        job, alike = self._job, dict[str, list[str]]()
        train = job.plan.train.steps if job.plan.train else ()
        for name in sorted({step.name for step in (*job.pipeline.steps, *train)}):
            alike.setdefault(without_digits(name), []).append(name)
        return {bare: ", ".join(names) for bare, names in alike.items()}

    def _of_train(self) -> Mapping[str, str]:
        """The train run's files as they were before an inference's first step."""
        if self._train_files is None:
            is_inference = self._job.pipeline.kind == "inference"
            self._train_files = train_files(self._job.workspace) if is_inference else {}
        return self._train_files

    def _look_at_modules(self) -> None:
        """What this process has imported so far; looked at again when it is more."""
        from alo.engine.isolation.modules import outside_code  # not where all steps are cached

        if len(sys.modules) != self._modules_seen:
            self._modules_seen = len(sys.modules)
            self._packages = {PYTHON: python_version(), **imported_packages()}
            self._outside = outside_code(Roots(self._home, self._job.workspace.home))

    def _version(self, package: str, python: str) -> str:
        """The version that a step would have of a package; looked up once until a step has run."""
        if package == PYTHON:
            return python_version()
        if (package, python) not in self._versions:
            folders = [packages_folder(python)] if python else sys.path
            self._versions[package, python] = package_version(package, folders)
        return self._versions[package, python]

    def _checksum(self, name: str) -> str:
        if name not in self._checksums:
            path = self._home / name
            self._checksums[name] = checksum(path) if path.is_file() else ""
        return self._checksums[name]


def _kept(value: object) -> str:
    """The form of a value; of the passwords in it a checksum only."""
    return _kept_text(form(value))


@lru_cache(maxsize=256)
def _kept_text(text: str) -> str:
    """Most of what an asset is given is the same for all steps."""
    shown = masked(text)
    return text if shown == text else f"{shown} ({checksum_of(text.encode())})"


def _digest(stored: StoredStep | None) -> str:
    if stored is None:
        return ""
    contents = [[value.content for value in values] for values in (stored.data, stored.config)]
    return checksum_of(repr(contents).encode("utf-8", "backslashreplace"))
