"""What a data set is made of: rows that people have labelled."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from json.encoder import encode_basestring
from pathlib import Path
from typing import NamedTuple

from alo.texts import is_odd

TRAIN, TEST = "train", "test"
_SAID = ("run", "model", "predicted", "old", "source", "by", "at")  # texts, or null
_WHO = b', "by": '  # from here on, a line says who decided and when


class ReviewedRow(NamedTuple):
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
    columns: Sequence[str]  # of the input; of a picture, none
    values: Sequence[str]  # of these columns
    key: str = ""  # the value that joins output and input
    picture: Path | None = None

    def values_of(self, columns: Sequence[str]) -> Sequence[str]:
        """The values of some columns, empty where it has none."""
        if columns == self.columns:
            return self.values
        named = self.named()
        return [named.get(name, "") for name in columns]

    def named(self) -> dict[str, str]:
        """The values by column."""
        return dict(zip(self.columns, self.values, strict=True))

    def line(self, old: str | None, split: str) -> str:
        """A line of ``rows.jsonl``; who decided and when comes last.

        By hand: a version has a hundred thousand, and an encoder takes much longer.

        Args:
            old: the label that the base has for the case; None: the base does not have it.
        """
        text = encode_basestring
        return (
            f'{{"record": {text(self.record)}, "content": {text(self.content)},'
            f' "run": {text(self.run)}, "model": {text(self.model)},'
            f' "predicted": {text(self.predicted)}, "certainty": {_number(self.certainty)},'
            f' "old": {"null" if old is None else text(old)}, "new": {text(self.label)},'
            f' "source": {text(self.source)}, "weight": {_number(self.weight)},'
            f' "split": {text(split)}, "by": {text(self.by)}, "at": {text(self.at)}}}\n'
        )


def lines_of(lines: Iterable[str]) -> bytes:
    """``rows.jsonl`` as the file has it; a lone surrogate is the escape that JSON has for it."""
    return "".join(lines).encode("utf-8", "backslashreplace")


def _number(number: float | None) -> str:
    return "null" if number is None else repr(number)


def decisions_of(lines: bytes) -> bytes:
    """The lines of ``rows.jsonl`` without who decided and when: what was decided."""
    return b"\n".join([line.rpartition(_WHO)[0] for line in lines.split(b"\n")])


def is_row(line: object) -> bool:
    """Whether something read from ``rows.jsonl`` is what `ReviewedRow.to_json` makes."""
    if not isinstance(line, dict):
        return False
    # At once: a page asks this of a hundred thousand.
    said = [each for each in map(line.get, _SAID) if each is not None]
    try:
        texts = "".join((line["record"], line["content"], line["new"], *said))
    except (KeyError, TypeError):
        return False
    certainty, weight = line.get("certainty"), line.get("weight")
    is_share = certainty is None or (isinstance(certainty, int | float) and 0 <= certainty <= 1)
    is_weight = weight is None or (isinstance(weight, int | float) and 0 < weight < math.inf)
    return is_share and is_weight and line.get("split") in (TRAIN, TEST) and not is_odd(texts)
