"""What all shards of a batch have in common, and the tasks and results that it makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alo.batch.cutting.shard import Shard
from alo.batch.shards.result import Manifest, manifest_of
from alo.executors.task import SHARD, Task
from alo.plan.model import NOTHING_ASKED, Resources


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardContext:
    """What all shards have in common."""

    ids: Mapping[str, str]  # model, code and args
    code: Mapping[str, str]  # name → checksum of each file, as far as it is known
    model: str = ""  # digest of its folder
    train_id: str = ""
    resources: Resources = NOTHING_ASKED

    def task_of(self, shard: Shard, digest: str, attempt: int = 1) -> Task:
        """The task that a shard is.

        Args:
            digest: of its input.
        """
        return Task(
            id=shard.name,
            kind=SHARD,
            pipelines=("inference",),
            inputs={"inference": digest},
            model=self.model,
            train_id=self.train_id,
            attempt=attempt,
            resources=self.resources,
        )

    def manifest_of(self, output: Path, shard: Shard, task: Task) -> Manifest:
        """Look through what a run of a shard has left.

        Raises:
            OSError, ValueError: it cannot be read.
            BatchError: it cannot be a part of the whole.
        """
        return manifest_of(
            output,
            shard=shard.name,
            rows=shard.rows,
            weight=shard.weight,
            digest=task.inputs["inference"],
            ids=self.ids,
            code=self.code,
        )
