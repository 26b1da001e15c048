"""Run one asset in a unit test, without a project around it.

::

    from alo.testing import run_asset

    def test_train_learns():
        result = run_asset("assets/train", args={"depth": 3}, data={"table": TABLE})
        assert result.summary["score"] > 0.9
"""

from __future__ import annotations

import atexit
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from shutil import copy, copytree
from time import gmtime, strftime
from typing import Any

from alo.engine.logs import PIPELINE_LOG
from alo.engine.task import step_meta
from alo.errors import UsageError
from alo.events import LogLine
from alo.files import remove_tree
from alo.layout import KINDS, Workspace
from alo.sources.loader import asset_module
from alo.version import __version__
from alolib.contract import Handover
from alolib.structure import AssetStructure

__all__ = ["AssetResult", "run_asset"]

Content = str | bytes | os.PathLike[str]


class AssetResult:
    """What an asset gave back.

    Attributes:
        data, config: what it saved.
        summary: what it gave ``save_summary``, as stored; None if it did not.
        lines: its log lines, each with ``level``, ``text``, ``file``, ``line``, ``function``, ``show``.
        workspace: the folder it ran in; a temporary one is removed when Python ends.
    """

    def __init__(self, handover: Handover, lines: list[LogLine], workspace: Path) -> None:
        self.data: dict[str, Any] = handover.data or {}
        self.config: dict[str, Any] = handover.config or {}
        self.summary: dict[str, Any] | None = handover.summary
        self.lines = lines
        self.workspace = workspace

    @property
    def messages(self) -> list[str]:
        """The texts of ``lines``."""
        return [line.text for line in self.lines]

    @property
    def files(self) -> dict[str, Path]:
        """Each file in the artifacts folders, by its name below the workspace."""
        return {
            path.relative_to(self.workspace).as_posix(): path
            for kind in KINDS
            for path in sorted((self.workspace / f"{kind}_artifacts").rglob("*"))
            if path.is_file()
        }

    def __repr__(self) -> str:
        data = ", ".join(map(str, self.data)) or "none"
        files = ", ".join(self.files) or "none"
        return f"<AssetResult data: {data}; summary: {self.summary}; files: {files}>"


def run_asset(
    asset: type | str | os.PathLike[str],
    *,
    args: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    pipeline: str = "train",
    step: str = "",
    workspace: str | os.PathLike[str] | None = None,
    input_files: Mapping[str, Content] | None = None,
    model_files: Mapping[str, Content] | None = None,
) -> AssetResult:
    """Make an asset and call its ``run``, as the engine does.

    Its log lines are printed too, so that pytest shows them for a test that fails.

    Args:
        asset: the class ``UserAsset``, or the path of the asset's folder or file.
        args: as in the plan.
        data: what the step before has saved; None: the asset is the first step.
        config: what the steps before have saved; ``meta`` is added.
        pipeline: train or inference.
        step: its name; by default that of the asset's folder.
        workspace: a folder to work in; by default a new temporary one.
        input_files: name below ``get_input_path()`` → text, bytes, or the path (``Path``) of a file
            or folder to copy.
        model_files: name below ``train_artifacts/models/`` → the same.
    Raises:
        AssetError: the asset did not keep the contract.
        Exception: whatever the asset raises.
    """
    kind = pipeline.removesuffix("_pipeline")
    if kind not in KINDS:
        raise UsageError(f"no pipeline '{pipeline}'", fix="it can be train or inference")
    space = Workspace(Path(workspace) if workspace else _temporary_folder())
    _fill(space.input(kind), input_files or {})
    _fill(space.models, model_files or {})
    name = step or _step_of(asset)
    lines: list[LogLine] = []

    def emit(line: LogLine) -> None:
        lines.append(line)
        sys.stdout.write(f"{line.format()}\n")

    structure = _structure(space, kind, name, args, data, config)
    structure.handover = Handover(is_first=data is None, steps=(name,), emit=emit)
    _run(asset, structure)
    structure.handover.check()
    return AssetResult(structure.handover, lines, space.home)


def _run(asset: type | str | os.PathLike[str], structure: AssetStructure) -> None:
    user_asset: Any = asset
    if isinstance(asset, type):
        user_asset(structure).run()
        return
    folder, name = _place_of(Path(asset))
    with asset_module(folder, name) as user_asset:
        user_asset(structure).run()


def _place_of(path: Path) -> tuple[Path, str]:
    """An asset's folder, and the name its file has after ``asset_``."""
    path = path.resolve()
    if path.suffix == ".py":
        return path.parent, path.stem.removeprefix("asset_")
    return path, path.name


def _step_of(asset: type | str | os.PathLike[str]) -> str:
    if not isinstance(asset, type):
        return _place_of(Path(asset))[0].name
    file = Path(str(getattr(sys.modules.get(asset.__module__), "__file__", "")))
    return file.stem.removeprefix("asset_") if file.stem.startswith("asset_") else "step"


def _temporary_folder() -> Path:
    # Until Python ends, not until the result is gone: a test may keep no more of it than a path.
    folder = Path(tempfile.mkdtemp(prefix="alo-test-"))
    atexit.register(remove_tree, folder)
    return folder


def _fill(folder: Path, files: Mapping[str, Content]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        elif isinstance(content, bytes):
            path.write_bytes(content)
        elif os.path.isdir(content):
            copytree(content, path, dirs_exist_ok=True)
        else:
            copy(content, path)


def _structure(
    space: Workspace,
    kind: str,
    step: str,
    args: Mapping[str, Any] | None,
    data: Mapping[str, Any] | None,
    config: Mapping[str, Any] | None,
) -> AssetStructure:
    number = 0 if data is None else 1
    meta = step_meta(space, f"{kind}_pipeline", step, number)
    log = space.artifacts(kind) / "log" / PIPELINE_LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    envs = {
        "project_home": f"{space.home}/",
        "pipeline": f"{kind}_pipeline",
        "step": step,
        "num_step": number,
        "prev_step": "",
        "artifacts": meta["artifacts"],
        "alo_version": __version__,
        "solution_metadata_version": "",
        "asset_branch": "",
        "interface_mode": "memory",
        "proc_start_time": strftime("%Y%m%dT%H%M%SZ", gmtime()),
        "save_train_artifacts_path": "",
        "save_inference_artifacts_path": "",
        "check_resource": False,
        "log_file_path": str(log),
    }
    # A copy: what the asset replaces in it or deletes from it stays as it is in the test.
    return AssetStructure(envs, args, dict(data or {}), {**(config or {}), "meta": meta})
