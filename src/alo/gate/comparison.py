"""Two models on the test rows of a data set: what each got right, and what follows from that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from alo.estimates.intervals import wilson
from alo.estimates.paired import mcnemar_exact, paired, tango_bounds, tango_lower
from alo.gate.verdict import PASS, GateSettings, Judged, Slice, judge

LEVEL = 0.95
MOST_CHANGED = 1000  # rows that are listed


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRow:
    """A test row, and what both models say of it."""

    record: str
    label: str  # what people say
    old: str | None  # None: the model gave no answer
    new: str | None
    weight: float = 1.0
    slices: Mapping[str, str] = field(default_factory=dict)  # column -> value


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShare:
    """How often one model was right."""

    run: str
    accuracy: float | None
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, object]:
        """As ``old`` and ``new`` of a comparison have it."""
        return {"run": self.run, "accuracy": self.accuracy, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A test row of which the models say different things."""

    record: str
    label: str  # what people say
    old: str | None  # None: the model gave no answer
    new: str | None

    def to_json(self) -> dict[str, object]:
        """An element of ``changed``."""
        return {"record": self.record, "label": self.label, "old": self.old, "new": self.new}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What `log/comparison.json` of a candidate has."""

    rows: int
    old: ModelShare
    new: ModelShare
    difference: float | None
    low: float | None
    high: float | None
    only_old_right: int
    only_new_right: int
    mcnemar_p: float
    slices: Sequence[Slice]
    confusion: Mapping[str, Mapping[str, Mapping[str, int]]]
    changed: Sequence[ChangedRow]  # what the new one has lost comes first
    judged: Judged
    gate: GateSettings
    bound: float | None  # what the difference is at least, one-sided
    in_training: int = 0  # test rows that either model has learned from
    unanswered: int = 0  # test rows without an answer of the new model
    agreement: Mapping[str, object] = field(default_factory=dict)  # of people, about the rows
    dataset: str = ""  # NAME@V
    command: str = ""  # that has made the candidate
    by: str = ""

    @property
    def is_held(self) -> bool:
        """Whether the gate holds the candidate."""
        return self.judged.verdict != PASS

    def to_json(self) -> dict[str, object]:
        """As `comparison.json` and `alo retrain --json` have it."""
        return {
            "dataset": self.dataset,
            "rows": self.rows,
            "old": self.old.to_json(),
            "new": self.new.to_json(),
            "difference": {
                "value": self.difference,
                "low": self.low,
                "high": self.high,
                "bound": self.bound,
            },
            "gate": asdict(self.gate),
            "test_in_training": self.in_training,
            "rows_unanswered": self.unanswered,
            "only_old_right": self.only_old_right,
            "only_new_right": self.only_new_right,
            "mcnemar_p": self.mcnemar_p,
            "slices": [each.to_json() for each in self.slices],
            "confusion": {name: dict(each) for name, each in self.confusion.items()},
            "changed": [each.to_json() for each in self.changed],
            "agreement": dict(self.agreement),
            "verdict": self.judged.verdict,
            "reasons": list(self.judged.reasons),
            "needed": self.judged.needed,
            "needed_reviews": self.judged.needed_reviews,
            "command": self.command,
            "by": self.by,
        }


def compare(
    rows: Sequence[ComparedRow],
    settings: GateSettings,
    *,
    old_run: str,
    new_run: str,
    in_training: int = 0,
    test_share: float = 0.2,
) -> Comparison:
    """Compare two models, and say whether the new one may take the place of the old one.

    Args:
        rows: all test rows; a row without an answer counts as wrong.
        in_training: test rows that are in the training data of either model.
        test_share: of random reviews that become test rows, for advice.
    """
    old = [row.old == row.label for row in rows]
    new = [row.new == row.label for row in rows]
    weights = [row.weight for row in rows]
    counts = paired(old, new, weights)
    slices = _slices(rows, settings)
    only_old, only_new = _right_alone(old, new), _right_alone(new, old)
    low, high = tango_bounds(counts, LEVEL) if rows else (None, None)
    unanswered = sum(row.new is None for row in rows)
    return Comparison(
        rows=len(rows),
        old=_share(old_run, old, weights),
        new=_share(new_run, new, weights),
        difference=counts.difference if rows else None,
        low=low,
        high=high,
        only_old_right=only_old,
        only_new_right=only_new,
        mcnemar_p=mcnemar_exact(only_old, only_new),
        slices=slices,
        confusion={
            "old": _confusion((row.label, row.old) for row in rows),
            "new": _confusion((row.label, row.new) for row in rows),
        },
        changed=_changed(rows),
        judged=judge(
            counts,
            slices,
            settings,
            rows=len(rows),
            unanswered=unanswered,
            in_training=in_training,
            test_share=test_share,
        ),
        gate=settings,
        bound=tango_lower(counts) if rows else None,
        in_training=in_training,
        unanswered=unanswered,
    )


def _share(run: str, right: Sequence[bool], weights: Sequence[float]) -> ModelShare:
    total = sum(weights)
    if not total:
        return ModelShare(run=run, accuracy=None, low=None, high=None)
    share = sum(w for w, is_right in zip(weights, right, strict=True) if is_right) / total
    size = total**2 / sum(weight**2 for weight in weights)
    interval = wilson(share, size, LEVEL)
    return ModelShare(run=run, accuracy=share, low=interval.low, high=interval.high)


def _slices(rows: Sequence[ComparedRow], settings: GateSettings) -> list[Slice]:
    found: list[Slice] = []
    for column in dict.fromkeys(name for row in rows for name in row.slices):
        values = Counter(row.slices[column] for row in rows if column in row.slices)
        for value in sorted(values):
            own = [row for row in rows if row.slices.get(column) == value]
            old = [row.old == row.label for row in own]
            new = [row.new == row.label for row in own]
            found.append(
                Slice(
                    name=f"{column}={value}",
                    rows=len(own),
                    only_old_right=_right_alone(old, new),
                    only_new_right=_right_alone(new, old),
                    is_looked_at=len(own) >= settings.slice_min_rows,
                )
            )
    return found


def _right_alone(one: Sequence[bool], other: Sequence[bool]) -> int:
    """On how many rows the first was right, and the second was not."""
    return sum(a and not b for a, b in zip(one, other, strict=True))


def _confusion(pairs: Iterable[tuple[str, str | None]]) -> dict[str, dict[str, int]]:
    """Label -> answer -> rows; an empty answer: none was given."""
    table: dict[str, dict[str, int]] = {}
    for label, said in pairs:
        row = table.setdefault(label, {})
        row[said or ""] = row.get(said or "", 0) + 1
    return table


def _changed(rows: Sequence[ComparedRow]) -> list[ChangedRow]:
    """Rows of which the models say different things: what the new one has lost comes first."""

    def loss(row: ComparedRow) -> int:
        return (row.new == row.label) - (row.old == row.label)

    changed = sorted((row for row in rows if row.old != row.new), key=loss)
    return [ChangedRow(row.record, row.label, row.old, row.new) for row in changed[:MOST_CHANGED]]
