"""What a sharded inference is: what was asked for, and which input, model, code and args it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

SHARDS, ROWS, FILES = "shards", "rows", "files"  # what the size of a cut counts
STOP, SKIP, BISECT = "stop", "skip", "bisect"
ON_ERROR = (STOP, SKIP, BISECT)  # what becomes of a shard that fails
MAX_BAD_ROWS, CHECKED_ROWS = 100, 200
IDS = {
    "data_id": "input",
    "order": "order of the input",
    "model": "model",
    "code_id": "code",
    "param_id": "args",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """What of an input may fail."""

    on_error: str = STOP
    failed_shards: int = 0  # with skip: that are left out without a complaint
    bad_rows: int = MAX_BAD_ROWS  # with bisect
    row_check: int = CHECKED_ROWS  # rows that are answered in one and in two pieces first; 0: none

    @property
    def needs_all_rows(self) -> bool:
        """Whether a table has to have a row for each of the input's."""
        return self.row_check > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """All that does not change while it runs."""

    name: str
    cut: tuple[str, int]  # what is counted, and how many: ("rows", 1000)
    sources: tuple[str, ...] = ()  # in place of the plan's
    overrides: tuple[str, ...] = ()  # as typed after --set
    system: str = ""  # solution metadata: path or JSON
    config: str = ""  # another plan
    model: str = ""  # the train run whose model is used; empty: the current one
    out: str | None = None  # where artifacts are saved; None: as the plan says
    tolerance: Tolerance = field(default_factory=Tolerance)
    ids: Mapping[str, str] = field(default_factory=dict)  # of IDS, once they are known
    shards: int = 0  # how many, once that is known
    created: str = ""  # UTC

    def to_json(self) -> dict[str, object]:
        """As ``batch.json`` has it."""
        return {**asdict(self), "cut": {self.cut[0]: self.cut[1]}}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Definition:
        """The definition that ``to_json`` has written.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        ((unit, size),) = content["cut"].items()
        return cls(
            name=str(content["name"]),
            cut=(str(unit), int(size)),
            sources=tuple(map(str, content["sources"])),
            overrides=tuple(map(str, content["overrides"])),
            system=str(content["system"]),
            config=str(content["config"]),
            model=str(content["model"]),
            out=None if content["out"] is None else str(content["out"]),
            tolerance=Tolerance(**content["tolerance"]),
            ids={str(name): str(each) for name, each in content["ids"].items()},
            shards=int(content["shards"]),
            created=str(content["created"]),
        )


def changed(definition: Definition, now: Mapping[str, str]) -> Iterator[str]:
    """What is not as the batch began with, in the words of ``IDS``."""
    for name, word in IDS.items():
        if definition.ids.get(name, "") != now.get(name, ""):
            yield word
