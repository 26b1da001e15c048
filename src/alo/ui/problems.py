"""What goes wrong with one request to the studio: a status, and words for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from alo.errors import AloError


class FieldProblem(NamedTuple):
    """What is wrong with one field of a form or a query."""

    field: str  # as the form calls it: args.train.depth
    what: str


class UiProblem(Exception):  # noqa: N818
    """A request is answered with a status instead of what it asks for."""

    def __init__(
        self,
        status: int,
        what: str,
        *,
        where: str = "",
        fix: str = "",
        fields: Sequence[FieldProblem] = (),
    ) -> None:
        super().__init__(what)
        self.status, self.what, self.where, self.fix = status, what, where, fix
        self.fields = tuple(fields)

    def to_json(self) -> dict[str, object]:
        """The body of the answer."""
        return {
            "error": {"what": self.what, "where": self.where, "fix": self.fix},
            "fields": [each._asdict() for each in self.fields],
        }


def problem_at(field: str, error: AloError) -> FieldProblem:
    """What is wrong with a field, and how to mend it."""
    return FieldProblem(field, " · ".join(filter(None, (error.what, error.fix))))


def not_found(what: str, *, fix: str = "") -> UiProblem:
    """404."""
    return UiProblem(404, what, fix=fix)


def refused_value(field: str, what: str) -> UiProblem:
    """422, of one value of a query or a body."""
    return UiProblem(422, f"{field}: {what}", fields=[FieldProblem(field, what)])
