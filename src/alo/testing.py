"""Run one asset in a unit test, without a project around it.

::

    from alo.testing import run_asset

    def test_train_learns():
        result = run_asset("assets/train", args={"depth": 3}, data={"table": TABLE})
        assert result.summary["score"] > 0.9
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from weakref import finalize

from alo.engine.task import step_meta
from alo.errors import UsageError
from alo.files import remove_tree
from alo.layout import KINDS, Workspace
from alo.sources.loader import asset_module
from alo.version import __version__
from alolib.contract import Handover
from alolib.messages import LogLine
from alolib.structure import AssetStructure

Content = str | bytes | os.PathLike[str]


class AssetResult:
    """What an asset gave back. A temporary workspace is there as long as this object is."""

    def __init__(self, handover: Handover, lines: list[LogLine], workspace: Path) -> None:
        self.data: dict[str, Any] = handover.data or {}
        self.config: dict[str, Any] = handover.config or {}
        self.summary: dict[str, Any] | None = handover.summary
        self.lines = lines  # what save_info, save_warning and save_error were called with
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
    data: dict[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    pipeline: str = "train",
    step: str = "",
    workspace: str | os.PathLike[str] | None = None,
    input_files: Mapping[str, Content] | None = None,
    model_files: Mapping[str, Content] | None = None,
) -> AssetResult:
    """Make an asset and call its ``run``, as the engine does.

    Args:
        asset: the class ``UserAsset``, or the path of the asset's folder or file.
        args: as in the plan.
        data: what the step before has saved; None: the asset is the first step.
        config: what the steps before have saved; ``meta`` is added.
        pipeline: train or inference.
        step: its name; by default that of the asset's folder.
        workspace: a folder to work in; by default a temporary one.
        input_files: name below the input path → text, bytes, or a path to copy from.
        model_files: name below ``train_artifacts/models/`` → the same.
    Raises:
        AssetError: the asset did not keep the contract.
        Exception: whatever the asset raises.
    """
    kind = pipeline.removesuffix("_pipeline")
    if kind not in KINDS:
        raise UsageError(f"no pipeline '{pipeline}'", fix="it can be train or inference")
    name = step or _step_of(asset)
    home = Path(workspace or tempfile.mkdtemp(prefix="alo-test-")).resolve()
    space = Workspace(home)
    _write(space.input(kind), input_files or {})
    _write(space.models, model_files or {})
    lines: list[LogLine] = []
    handover = Handover(is_first=data is None, steps=(name,), emit=lines.append)
    meta = step_meta(space, f"{kind}_pipeline", name, 0)
    structure = AssetStructure(
        _envs(space, kind, name), args, data, {**(config or {}), "meta": meta}
    )
    structure.handover = handover
    result = AssetResult(handover, lines, home)
    if workspace is None:
        finalize(result, remove_tree, home)
    with ExitStack() as stack:
        user_asset: Any = asset
        if not isinstance(asset, type):
            user_asset = stack.enter_context(asset_module(_folder_of(asset), name))
        user_asset(structure).run()
    handover.check()
    result.data, result.config = handover.data or {}, handover.config or {}
    result.summary = handover.summary
    return result


def _folder_of(asset: str | os.PathLike[str]) -> Path:
    path = Path(asset).resolve()
    return path.parent if path.is_file() else path


def _step_of(asset: type | str | os.PathLike[str]) -> str:
    if not isinstance(asset, type):
        return _folder_of(asset).name
    file = Path(str(getattr(sys.modules.get(asset.__module__), "__file__", "") or "step"))
    return file.stem.removeprefix("asset_") if file.stem.startswith("asset_") else "step"


def _write(folder: Path, files: Mapping[str, Content]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            is_path = isinstance(content, os.PathLike)
            path.write_bytes(Path(content).read_bytes() if is_path else content)  # type: ignore[arg-type]


def _envs(space: Workspace, kind: str, step: str) -> dict[str, Any]:
    return {
        "project_home": f"{space.home}/",
        "pipeline": f"{kind}_pipeline",
        "step": step,
        "num_step": 0,
        "alo_version": __version__,
        "interface_mode": "memory",
    }
