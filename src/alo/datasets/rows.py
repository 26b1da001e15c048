"""What a data set is made of: rows that people have labelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TRAIN, TEST = "train", "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedRow:
    """A record with the label that people gave it."""

    record: str  # its id
    content: str  # the id of the case
    run: str
    model: str  # the train run whose model predicted it
    predicted: str
    certainty: float | None
    label: str  # what people say
    by: str
    at: str
    source: str  # random, uncertain or picked
    weight: float | None
    values: Mapping[str, str]  # of the input, by column; of a picture, none
    key: str = ""  # the value that joins output and input
    picture: Path | None = None

    def to_json(self, old: str | None, split: str) -> dict[str, object]:
        """A line of ``rows.jsonl``.

        Args:
            old: the label that the base has for the case; None: the base does not have it.
        """
        return {
            "record": self.record,
            "content": self.content,
            "run": self.run,
            "model": self.model,
            "predicted": self.predicted,
            "certainty": self.certainty,
            "old": old,
            "new": self.label,
            "by": self.by,
            "at": self.at,
            "source": self.source,
            "weight": self.weight,
            "split": split,
        }


def is_row(line: object) -> bool:
    """Whether something read from ``rows.jsonl`` is what `ReviewedRow.to_json` makes."""
    if not isinstance(line, dict):
        return False
    texts = all(isinstance(line.get(key), str) for key in ("record", "content", "new"))
    weight = line.get("weight")
    is_weight = weight is None or (isinstance(weight, int | float) and weight > 0)
    return texts and is_weight and line.get("split") in (TRAIN, TEST)
