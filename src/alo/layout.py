"""Every folder and file name of a project, in one place (spec 2)."""

from __future__ import annotations

import os
import re
from functools import cached_property
from pathlib import Path

PLAN_NAME = "experimental_plan.yaml"
KINDS = ("train", "inference")  # a pipeline's name without "_pipeline", as folders have it

# What the engine makes in a project's folder, and keeps in order by itself
OWN_FOLDERS = (
    ".alo",
    ".asset_interface",
    ".unfinished_run",
    "history",
    "inference_artifacts",
    "input",
    "train_artifacts",
)

TRASH_PREFIX, SCRATCH_PREFIX, RERUN_PREFIX = ".alo-trash-", "scratch-", "rerun-"
ASSETS = "assets"
PROJECT_CODE = "project_code"  # in a history entry: the modules that are in no asset's folder


PRIVATE = 0o700  # of a folder that other users of the machine have no business in


def in_entry(name: str) -> str:
    """Where a history entry has a file of code, by its name in the project's folder."""
    return name if name.startswith(f"{ASSETS}/") else f"{PROJECT_CODE}/{name}"


def slug(text: str) -> str:
    """``text`` as part of a path: what is no letter, digit, ``-``, ``_`` or ``.`` becomes ``-``."""
    cleaned = re.sub(r"[^\w.-]", "-", text.strip())
    return cleaned.strip(".") or "solution"  # never hidden, never "." or ".."


def without_digits(step: str) -> str:
    """The step's name as ALO 2.x looks its file and model folder up."""
    return "".join(each for each in step if not each.isdecimal())


class Workspace:
    """The paths of one project folder; creates nothing by itself."""

    def __init__(self, home: Path) -> None:
        self.home = Path(home).resolve()
        self._below: dict[str, Path] = {}  # that have been asked for

    def __repr__(self) -> str:
        return f"Workspace({str(self.home)!r})"

    @cached_property
    def assets(self) -> Path:
        """The folder of all assets."""
        return self.home / ASSETS

    def asset(self, step: str) -> Path:
        """The folder of one step's asset."""
        return self.assets / step

    def input(self, kind: str) -> Path:
        """Where the data of a pipeline (``train`` or ``inference``) is staged."""
        return self._path(f"input/{kind}")

    def artifacts(self, kind: str) -> Path:
        """What the last run of a pipeline has made; all of a run's outputs are below it."""
        return self._path(f"{kind}_artifacts")

    @cached_property
    def models(self) -> Path:
        """The models of the last good train run; inference reads them here."""
        return self.artifacts("train") / "models"

    @cached_property
    def interface(self) -> Path:
        """The step store's own folder: data and config between steps."""
        return self.home / ".asset_interface"

    @cached_property
    def history(self) -> Path:
        """The history of runs: a folder for each."""
        return self.home / "history"

    @cached_property
    def internal(self) -> Path:
        """What ALO keeps for itself: locks, the index, caches, what services remember."""
        return self.home / ".alo"

    @property
    def studio(self) -> Path:
        """What people made in the studio, passwords and jobs among it: for this user alone."""
        return self.home / "studio"

    @property
    def lock(self) -> Path:
        """Claimed by whoever uses the folders of the workspace: one run at a time."""
        return self.internal / "lock"

    @property
    def unfinished(self) -> Path:
        """There while a run is in progress: its journal, and what it replaces until it succeeds.

        Not below ``.alo/``, which a user may delete at any time: after a kill the last good model
        is here.
        """
        return self.home / ".unfinished_run"

    @property
    def run_lock(self) -> Path:
        """Claimed by the run in progress; it is there even where ``.alo/`` was deleted."""
        return self.unfinished / "lock"

    @property
    def journal(self) -> Path:
        """What the run in progress has moved away so far; read after a kill."""
        return self.unfinished / "run.json"

    def staging_manifest(self, kind: str) -> Path:
        """What is remembered of a pipeline's staged files."""
        return self.internal / f"staged-{kind}.json"

    @property
    def plan_nodes(self) -> Path:
        """The plan of the last run, read into nodes; see ``plan/yaml_nodes/cache.py``."""
        return self.internal / "plan-nodes.jsonl"

    @property
    def inspected(self) -> Path:
        """Which assets were found well; see ``engine/checks/inspected.py``."""
        return self.internal / "inspected.json"

    def trash(self) -> Path:
        """A new name to rename a folder to before it is deleted; leftovers go at the next run.

        Beside what it is for: ``.alo/`` may be on another disk, to which nothing can be renamed.
        """
        return self.home / f"{TRASH_PREFIX}{os.urandom(6).hex()}"

    def scratch(self) -> Path:
        """A new name for what lasts no longer than a run; leftovers go at the next one."""
        return self.internal / f"{SCRATCH_PREFIX}{os.urandom(6).hex()}"

    def past_code(self) -> Path:
        """A new name for the code of a past run that runs again; leftovers go at the next run."""
        return self.internal / f"{RERUN_PREFIX}{os.urandom(6).hex()}"

    @property
    def recent_runs(self) -> Path:
        """The ids of each pipeline's last runs; see ``history/recent_runs.py``."""
        return self.internal / "last-runs"

    @property
    def history_total(self) -> Path:
        """How much the history holds; see ``history/entries/tally.py``."""
        return self.internal / "history-total.json"

    @property
    def new_runs(self) -> Path:
        """What a list of runs shows of those that ended last."""
        return self.internal / "new-runs.jsonl"

    @property
    def index(self) -> Path:
        """The history's index, in SQLite."""
        return self.internal / "history.sqlite"

    def _path(self, name: str) -> Path:
        """A served request asks for the same few again and again."""
        path = self._below.get(name)
        if path is None:
            path = self._below[name] = self.home / name
        return path


def find_plan(home: Path) -> Path:
    """The plan of a project folder, or where it would be (spec 2)."""
    usual = home / "solution" / PLAN_NAME
    at_top = home / PLAN_NAME
    return at_top if at_top.is_file() and not usual.is_file() else usual
