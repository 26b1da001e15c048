"""How certain a model was of its predictions, by the columns of its output."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from alo.review.settings import ReviewSettings

SUM_MAY_BE_OFF = 0.01  # of probabilities

Certainty = Callable[[Sequence[str], str], tuple[float | None, Mapping[str, float]]]


def certainties(columns: Sequence[str], settings: ReviewSettings, notes: list[str]) -> Certainty:
    """What gives, of a row and what it predicts, the certainty and the classes' probabilities.

    Args:
        columns: of the output; it has those that the settings name.
        notes: what is odd is added here.
    """
    names = list(columns)
    places = [(name, names.index(column)) for name, column in settings.probabilities.items()]
    place = names.index(settings.certainty) if settings.certainty else -1
    is_noted = False
    odd: set[int] = set()  # columns that are noted

    def share(row: Sequence[str], at: int) -> float | None:
        """A number from 0 to 1; None: it is none."""
        try:
            value = float(row[at])
        except (ValueError, IndexError):
            value = -1.0
        if 0 <= value <= 1:  # what is no number is not, either
            return value
        if at not in odd and at < len(row) and row[at].strip():
            odd.add(at)
            notes.append(f"'{names[at]}' is no number from 0 to 1: {row[at][:40]}")
        return None

    def certainty_of(row: Sequence[str], predicted: str) -> tuple[float | None, dict[str, float]]:
        nonlocal is_noted
        found: dict[str, float] = {}
        for name, at in places:
            value = share(row, at)
            if value is None:
                found = {}
                break
            found[name] = value
        if len(found) > 1 and not is_noted:
            total = sum(found.values())
            is_noted = abs(total - 1) > SUM_MAY_BE_OFF
            if is_noted:
                notes.append(f"probabilities that do not sum to 1: {total:g}")
        if place >= 0:
            return share(row, place), found
        if predicted in found:
            return found[predicted], found
        if len(places) == 1 and found:  # of two classes one is enough
            (only,) = found.values()
            return 1 - only, found
        return None, found

    return certainty_of
