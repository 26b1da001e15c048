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
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from pathlib import Path
from shutil import copy, copytree
from time import gmtime, strftime
from typing import Any
from weakref import finalize

from alo.engine.isolation.event_loop import no_running_loop
from alo.engine.isolation.process_state import do_imports_again, process_restored
from alo.engine.isolation.turns import turn_of
from alo.engine.steps.asset_class import call_asset
from alo.engine.steps.task import step_meta
from alo.errors import UsageError
from alo.events.log_files import PIPELINE_LOG
from alo.events.types import Event, Listener, LogLine
from alo.files import remove_tree
from alo.layout import KINDS, Workspace
from alo.sources.code.loader import asset_module
from alo.version import __version__
from alolib.advice import TEST
from alolib.contract import Handover
from alolib.structure import AssetStructure

__all__ = ["AssetResult", "run_asset"]

Content = str | bytes | os.PathLike[str]


class AssetResult:
    """What an asset gave back.

    Attributes:
        data, config: what it saved.
        summary: what it gave ``save_summary``, as stored; None if it did not.
        lines: its log lines; each has ``level``, ``text``, ``file``, ``line`` and ``function``.
        workspace: the folder it ran in; a temporary one goes when this object does.
        files: what it wrote: name below the workspace → path.
    """

    def __init__(
        self,
        handover: Handover,
        lines: list[LogLine],
        workspace: Path,
        files: Mapping[str, Path],
    ) -> None:
        self.data: dict[str, Any] = handover.data or {}
        self.config: dict[str, Any] = handover.config or {}
        self.summary: dict[str, Any] | None = handover.summary
        self.lines = lines
        self.workspace = workspace
        self.files = files

    @property
    def messages(self) -> list[str]:
        """The texts of ``lines``."""
        return [line.text for line in self.lines]

    def __repr__(self) -> str:
        data = ", ".join(map(str, self.data)) or "none"
        files = ", ".join(self.files) or "none"
        return f"<AssetResult data: {data}; summary: {self.summary}; files: {files}>"


def run_asset(
    asset: type | str | os.PathLike[str],
    *,
    args: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    pipeline: str = "train",
    step: str | None = None,
    workspace: str | os.PathLike[str] | None = None,
    input_files: Mapping[str, Content] | None = None,
    model_files: Mapping[str, Content] | None = None,
) -> AssetResult:
    """Make an asset and call its ``run``, as the engine does.

    Its log lines are printed too, so that pytest shows them for a test that fails.

    Args:
        asset: the class ``UserAsset``, or the path of the asset's folder or file.
        args: as in the plan.
        config: what the steps before have saved; ``meta`` is added.
        data: what the step before has saved; None: the asset is the first step.
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
    if not isinstance(asset, type | str | os.PathLike):
        raise UsageError(f"asset is {asset!r}", fix="it can be a class, a folder or a file")
    mappings = {"args": args, "config": config, "data": data, "input_files": input_files}
    for option, value in {**mappings, "model_files": model_files}.items():
        if not (value is None or isinstance(value, Mapping)):
            raise UsageError(f"{option} is of the type {type(value).__name__}; it has to be a dict")
    home = Path(workspace or tempfile.mkdtemp(prefix="alo-test-")).resolve()
    name = step or _step_of(asset)
    lines: list[LogLine] = []

    def emit(line: Event) -> None:
        assert isinstance(line, LogLine)  # noqa: S101 - nothing else happens here
        lines.append(line)
        text = f"{line.format()}\n"
        sys.stdout.write(text.encode(errors="backslashreplace").decode())

    try:
        space = Workspace(home)
        _fill(space.input(kind), input_files or {})
        _fill(space.models, model_files or {})
        structure = _structure(space, kind, name, args, data, config)
        structure.handover = Handover(is_first=data is None, steps=(name,), emit=emit, caller=TEST)
        before = _files(space)
        _run(asset, structure, name, emit)
        after = _files(space)
    except BaseException:
        if not workspace:
            remove_tree(home)
        raise
    written = {name: home / name for name, state in after.items() if before.get(name) != state}
    result = AssetResult(structure.handover, lines, home, written)
    if not workspace:
        finalize(result, remove_tree, home)
    return result


def _run(
    asset: type | str | os.PathLike[str], structure: AssetStructure, step: str, emit: Listener
) -> None:
    with (
        turn_of(step, emit),
        no_running_loop(),
        process_restored(),
        _class_of(asset) as user_asset,
    ):
        do_imports_again()
        copy_context().run(call_asset, lambda: user_asset, structure)
    structure.handover.check()


def _class_of(asset: type | str | os.PathLike[str]) -> AbstractContextManager[Any]:
    """The class; that of a path is imported apart from all others while inside."""
    return nullcontext(asset) if isinstance(asset, type) else asset_module(*_place_of(Path(asset)))


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


def _files(space: Workspace) -> dict[str, tuple[int, int]]:
    """Each file below the workspace but the input, with what changes when it is written anew."""
    inputs = space.home / "input"
    return {
        path.relative_to(space.home).as_posix(): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in sorted(space.home.rglob("*"))
        if path.is_file() and inputs not in path.parents and path.suffix != ".pyc"
    }


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
