"""``/users``: who may sign in."""

from __future__ import annotations

from alo.errors import UsageError
from alo.ui.access.roles import ROLES
from alo.ui.ask import Ask
from alo.ui.page import Page, Redirect
from alo.ui.problems import UiProblem


def show(ask: Ask) -> Page:
    """All users and tokens."""
    ask.query.allow()
    users = [
        {
            "name": each.name,
            "role": each.role,
            "disabled": each.is_disabled,
            "created": each.created,
        }
        for each in ask.studio.people.users()
    ]
    tokens = [each._asdict() for each in ask.studio.people.tokens()]
    content = {"items": users, "next": None, "total": len(users), "tokens": tokens}
    return Page("users", "Users", content, {"roles": ROLES, "command": "alo ui users add NAME"})


def add(ask: Ask) -> Redirect:
    """A new user."""
    try:
        user = ask.studio.people.add(ask.text("name"), ask.text("role"), ask.text("password"))
    except UsageError as error:
        raise UiProblem(422, error.what, fix=error.fix) from error
    after = {"name": user.name, "role": user.role}
    ask.studio.audit.add(ask.who.name, "user-added", user.name, after=after)
    return Redirect("/users", after, json_status=201)
