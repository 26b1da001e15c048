"""Where one step runs: what every call of the asset API has to know, and where log lines go."""

from __future__ import annotations

import os
import sys
from time import time

from alolib.callers import calling_frame
from alolib.contract import Handover
from alolib.messages import LogLine
from alolib.structure import AssetStructure


class StepContext:
    """An asset's structure, and what follows from it.

    Apart from the API object, whose attributes an asset may overwrite with its own.
    """

    __slots__ = ("home", "kind", "log_file", "save_path", "step", "structure")

    def __init__(self, structure: AssetStructure) -> None:
        envs = structure.envs
        home = str(envs.get("project_home") or os.getcwd())
        self.structure = structure
        self.home = home if home.endswith("/") else f"{home}/"
        self.kind = str(envs.get("pipeline") or "train_pipeline").removesuffix("_pipeline")
        self.step = str(envs.get("step") or "step")
        self.save_path = str(envs.get(f"save_{self.kind}_artifacts_path") or "")
        self.log_file = str(envs.get("log_file_path") or "")

    @property
    def handover(self) -> Handover:
        """What the step saves, and the rules for it."""
        return self.structure.handover

    @property
    def args_place(self) -> str:
        """Where the step's args are in the plan."""
        return f"experimental_plan.yaml, user_parameters.{self.kind}_pipeline.{self.step}.args"

    @property
    def assets(self) -> str:
        """The folder of all assets; in the rerun of a past run, of those that it had."""
        return str(self.structure.envs.get("asset_home") or f"{self.home}assets/")

    @property
    def artifacts(self) -> str:
        """The artifacts folder of the step's pipeline, with a slash at its end."""
        return f"{self.home}{self.kind}_artifacts/"

    @property
    def summary_file(self) -> str:
        """Where ``save_summary`` writes: the summary of the pipeline's run."""
        return f"{self.artifacts}score/{self.kind}_summary.yaml"

    @property
    def metrics_file(self) -> str:
        """Where ``save_metric`` writes: the metrics of the pipeline's run."""
        return f"{self.artifacts}score/{self.kind}_metrics.jsonl"

    @property
    def summary_version(self) -> str:
        """``v`` and the version of the solution metadata; empty without any."""
        version = str(self.structure.envs.get("solution_metadata_version") or "")
        return f"v{version}" if version else ""

    def log(self, level: str, message: object, show: bool = False) -> None:
        """Log a message with the file, line and function of the asset."""
        frame = calling_frame()
        code = frame.f_code
        name = os.path.basename(code.co_filename)
        line = LogLine(
            time(), "USER", level, name, frame.f_lineno, code.co_name, str(message), show
        )
        if self.handover.emit is not None:
            self.handover.emit(line)
            return
        # A file name that is not UTF-8 has characters that cannot be encoded.
        text = f"{line.format()}\n".encode(errors="backslashreplace").decode()
        sys.stdout.write(text)
        if self.log_file:
            with open(self.log_file, "a", encoding="utf-8") as file:
                file.write(text)
