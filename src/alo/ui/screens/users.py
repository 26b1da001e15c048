"""``/users``: who may sign in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from alo.errors import UsageError
from alo.ui.access.people import People
from alo.ui.access.roles import ROLES
from alo.ui.ask import Ask
from alo.ui.problems import UiError, not_found, problem_at, refused_value
from alo.ui.query import Query
from alo.ui.refused import or_again
from alo.ui.rendering.page import Page, Redirect
from alo.ui.screens.lists import limit_of, table_of

COLUMNS = ("name", "role", "disabled", "created")
FIELDS = ("name", "role", "password")  # of the form


def show(ask: Ask) -> Page:
    """Users, page by page, and all tokens."""
    ask.query.allow("page", "limit")
    limit = limit_of(ask.query)
    users: list[dict[str, object]] = [
        {
            "name": each.name,
            "role": each.role,
            "disabled": each.is_disabled,
            "created": each.created,
        }
        for each in ask.studio.people.users()
    ]
    tokens = [each._asdict() for each in ask.studio.people.tokens()]
    first = _first_of(ask.query, [str(each["name"]) for each in users])
    listed = users[first : first + limit]
    more = first + limit < len(users)
    following = ask.query.link(page=str(listed[-1]["name"])) if more else None
    content = {"items": listed, "next": following, "total": len(users), "tokens": tokens}
    shown = {"roles": ROLES, "command": "alo ui users add NAME"}
    return Page("users", "Users", content, shown, table_of(COLUMNS, users))


def _first_of(query: Query, names: Sequence[str]) -> int:
    """Where the page begins: behind the last name of the one before."""
    last = query.one("page")
    if last and last not in names:
        raise refused_value("page", "this is no page of the list")
    return names.index(last) + 1 if last else 0


def add(ask: Ask) -> Page | Redirect:
    """A new user; a form that is refused is shown as it was sent, but for the password."""
    return or_again(ask, _add, show)


def _add(ask: Ask) -> Redirect:
    with _refused(*FIELDS):
        user = _people(ask).add(ask.text("name"), ask.text("role"), ask.text("password"))
    after = {"name": user.name, "role": user.role}
    return Redirect("/users", after, json_status=201)


def disable(ask: Ask) -> Page | Redirect:
    """End a user's sessions and tokens, and let none begin."""
    return or_again(ask, _disable, show, _page_of(ask))


def _disable(ask: Ask) -> Redirect:
    name = _known(ask)
    if name == ask.who.name:
        raise UiError(409, "nobody can disable themselves", fix="ask another operator")
    with _refused():
        _people(ask).disable(name)
    return Redirect("/users", {"name": name, "disabled": True})


def set_password(ask: Ask) -> Page | Redirect:
    """Another password of a user, whose sessions end; one who was disabled may sign in again."""
    return or_again(ask, _set_password, show, _page_of(ask))


def _set_password(ask: Ask) -> Redirect:
    name = _known(ask)
    with _refused("password"):
        _people(ask).set_password(name, ask.text("password"))
    return Redirect("/users", {"name": name, "disabled": False})


def _page_of(ask: Ask) -> Query:
    """The page of the list that the form was on."""
    return ask.page_at("/users", [("page", ask.query.one("page"))])


def _people(ask: Ask) -> People:
    return ask.studio.people.changed_by(ask.who.name)


def _known(ask: Ask) -> str:
    name = ask.names["name"]
    if all(each.name != name for each in ask.studio.people.users()):
        raise not_found(f"there is no user '{name}'", fix="/users lists them")
    return name


@contextmanager
def _refused(*fields: str) -> Iterator[None]:
    """What cannot be is 422, of the one of these fields that it speaks of, or else of the first."""
    try:
        yield
    except UsageError as error:
        ours = re.sub("'.*'", "", error.what)  # without what was typed
        said = [each for each in fields if each in ours] or fields
        wrong = [problem_at(each, error) for each in said[:1]]
        raise UiError(422, error.what, fix=error.fix, fields=wrong) from error
