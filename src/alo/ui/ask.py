"""A request as the screens see it: who asks, for what, in which language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from alo.json_text import json_value
from alo.texts import odd_text
from alo.ui.access.roles import Person
from alo.ui.problems import FieldProblem, UiError
from alo.ui.query import Query
from alo.ui.studio import Studio

DEEPEST = 20  # nesting of a body
MOST_FIELDS = 2000
JUDGED_ALONE = ("decisions",)  # what is wrong with one of them refuses no other


@dataclass(frozen=True, slots=True)
class Ask:
    """One request."""

    studio: Studio
    who: Person
    query: Query
    names: Mapping[str, str]  # what the path names: {"id": ...}
    body: Mapping[str, object]  # of a POST: a JSON object, or the fields of a form
    is_form: bool  # whether a page has sent it
    token: str  # of the URL: signs the owner in
    last_event: str  # the last one that a browser has, which was cut off from a stream
    say: Callable[[str], str]  # gives what the engine has said in the language of who asks

    def page_at(self, path: str, pairs: Iterable[tuple[str, str]] = ()) -> Query:
        """The URL of another page, as its own: below the studio's base path."""
        return Query(f"{self.studio.settings.base_path}{path}", pairs)

    def text(self, key: str, default: str = "") -> str:
        """A text of the body.

        Raises:
            UiError: 422: it is something else.
        """
        value = self.body.get(key, default)
        if not isinstance(value, str):
            raise UiError(
                422, f"{key} has to be a text", fields=[FieldProblem(key, "it has to be a text")]
            )
        return value


def read_body(content: bytes, content_type: str) -> tuple[Mapping[str, object], bool]:
    """The body of a POST, and whether it is a form.

    Raises:
        UiError: 400: it is malformed; 415: it is of another kind.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if not content:
        return {}, kind != "application/json"
    try:
        if kind == "application/json":
            value = json_value(content, deepest=DEEPEST)
            if not isinstance(value, dict):
                raise ValueError("it is no JSON object")
            _check_texts(value)
            return value, False
        if kind == "application/x-www-form-urlencoded":
            pairs = parse_qsl(content.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
            fields: dict[str, str] = {}
            for key, text in pairs:  # of several with one name: a line for each
                fields[key] = f"{fields[key]}\n{text}" if key in fields else text
            _check_texts(fields)
            return fields, True
    except (ValueError, RecursionError) as error:
        raise UiError(400, f"the body cannot be read: {error}") from error
    raise UiError(415, "the body has to be JSON or a form", fix="Content-Type: application/json")


def share_of(value: object) -> float | None:
    """A share from 0 to 1 that a body has as a number or a text; None: it is something else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        share = float(value)
    except (ValueError, OverflowError):
        return None
    return share if 0 <= share <= 1 else None


def _check_texts(value: Mapping[str, object]) -> None:
    if odd := odd_text(value, JUDGED_ALONE):
        raise ValueError(odd)
