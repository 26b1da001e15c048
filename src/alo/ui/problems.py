"""What goes wrong with one request to the studio: a status, and words for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from alo.errors import AloError, DatabaseError
from alolib.disk import fix_of, is_full


class FieldProblem(NamedTuple):
    """What is wrong with one field of a form or a query."""

    field: str  # as the form calls it: args.train.depth
    what: str


class UiError(Exception):
    """A request is answered with a status instead of what it asks for."""

    def __init__(
        self,
        status: int,
        what: str,
        *,
        where: str = "",
        fix: str = "",
        fields: Sequence[FieldProblem] = (),
        about: str = "",
    ) -> None:
        super().__init__(what)
        self.status, self.what, self.where, self.fix = status, what, where, fix
        self.about = about  # the id that a page of it was asked for, and is not there
        self.fields = tuple(fields)

    def to_json(self, say: Callable[[str], str] = str) -> dict[str, object]:
        """The body of the answer.

        Args:
            say: gives a text in the language of who asks.
        """
        return {
            "error": {"what": say(self.what), "where": self.where, "fix": say(self.fix)},
            "fields": [{"field": each.field, "what": say(each.what)} for each in self.fields],
        }


def problem_at(field: str, error: AloError) -> FieldProblem:
    """What is wrong with a field, and how to mend it."""
    return FieldProblem(field, " · ".join(filter(None, (error.what, error.fix))))


def not_found(what: str, *, fix: str = "", about: str = "") -> UiError:
    """404.

    Args:
        about: what was removed, if anything else knows of it: its trace is shown instead.
    """
    return UiError(404, what, fix=fix, about=about)


def refused_value(field: str, what: str) -> UiError:
    """422, of one value of a query or a body."""
    return UiError(422, f"{field}: {what}", fields=[FieldProblem(field, what)])


def problem_of(error: AloError | OSError) -> UiError:
    """What the engine or the disk refuses, as a status: it makes no sense, or cannot be now."""
    if isinstance(error, OSError):
        return _problem_of_system(error)
    status = 422 if error.exit_status == 2 else 409
    if isinstance(error, DatabaseError):
        status = 507 if error.is_full else 503
    return UiError(status, error.what, where=error.where, fix=error.fix)


def _problem_of_system(error: OSError) -> UiError:
    """A file that is gone, or cannot be read or written now."""
    where = str(error.filename or "")
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return UiError(404, "it is not there any more", where=where)
    if is_full(error):
        return UiError(507, "the disk is full", where=where, fix=fix_of(error))
    what = f"the disk cannot be used now: {error.strerror or error}"
    return UiError(503, what, where=where, fix="see that it may be read and written")
