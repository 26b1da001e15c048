"""The inputs of the shards that are out: made when they are sent, removed when they have ended."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from alo.batch.cutting.shard import Shard
from alo.batch.cutting.write import write_shard
from alo.executors.depot import Depot
from alo.files import discard


class Staging:
    """Folders of shards, found by their digests.

    Args:
        folder: theirs alone.
        depot: of the executor.
    """

    def __init__(self, folder: Path, depot: Depot) -> None:
        self._folder, self._depot = folder, depot
        self._users: Counter[str] = Counter()  # two shards of the same rows share a folder
        self._made = 0

    def put(self, shard: Shard) -> str:
        """Have the input of a shard in its place; returns its digest.

        Raises:
            StagingError: it cannot be written, or is not as it was when it was cut.
            ExecutorError: it cannot be read.
        """
        self._made += 1
        place = self._folder / f"{shard.name}-{self._made}"
        write_shard(shard, place)
        digest = self._depot.add_folder(place)
        self._users[digest] += 1
        if self._depot.folder(digest) != place.resolve():
            discard(place)
        return digest

    def drop(self, digest: str) -> None:
        """A shard that had it has ended."""
        self._users[digest] -= 1
        if not self._users[digest]:
            discard(self._depot.folder(digest))
            self._depot.forget(digest)
