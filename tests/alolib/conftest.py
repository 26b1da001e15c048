"""An API object as an asset has it, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alolib.asset import Asset, AssetStructure
from alolib.contract import Handover
from alolib.messages import LogLine


@pytest.fixture
def lines() -> list[LogLine]:
    """What has been logged."""
    return []


@pytest.fixture
def make(tmp_path: Path, lines: list[LogLine]) -> Callable[..., Any]:
    """``make(pipeline="inference", step="train", args={...}, data={...}).asset``."""

    def make_asset(
        pipeline: str = "train",
        step: str = "train",
        *,
        args: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        config: dict[str, Any] | None = None,
        steps: tuple[str, ...] = (),
        train_steps: tuple[str, ...] = (),
        envs: dict[str, Any] | None = None,
    ) -> Asset:
        known = {"project_home": f"{tmp_path}/", "pipeline": f"{pipeline}_pipeline", "step": step}
        structure = AssetStructure({**known, **(envs or {})}, args, data, config)
        structure.handover = Handover(
            is_first=data is None, steps=steps, train_steps=train_steps, emit=lines.append
        )
        return Asset(structure)

    return make_asset
