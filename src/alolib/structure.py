"""What a step's class is made with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alolib.contract import Handover


class AssetStructure:
    """Everything that a step is given; a test can make one by hand, and leave out what it likes.

    Args:
        envs: where the step runs: ``project_home``, ``pipeline``, ``step`` and others.
        args: the step's args, as in the plan.
        data: what the step before has saved; None at the first step.
        config: what the steps before have saved.
    """

    def __init__(
        self,
        envs: Mapping[str, Any] | None = None,
        args: Mapping[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        config: dict[str, Any] | None = None,
    ) -> None:
        self.envs: dict[str, Any] = dict(envs or {})
        self.args: dict[str, Any] = dict(args or {})
        self.data: dict[str, Any] = {} if data is None else data
        self.config: dict[str, Any] = {} if config is None else config
        self.handover = Handover(is_first=data is None)
