"""``/sign-in`` and ``/sign-out``."""

from __future__ import annotations

from alo.ui.access.cookies import ended_session, session_cookie
from alo.ui.ask import Ask
from alo.ui.problems import UiError
from alo.ui.rendering.page import Page, Redirect


def show(ask: Ask) -> Page:
    """The form for name and password."""
    ask.query.allow("next")
    problem = "the URL with this token was used already, or is of another studio"
    shown = {
        "next": _own_path(ask.query.one("next")),
        "wrong": problem if ask.token else "",
        "name": "",
    }
    return Page("sign_in", "Sign in", {}, shown)


def enter(ask: Ask) -> Page | Redirect:
    """Open a session for who has given name and password."""
    name, password = ask.text("name"), ask.text("password")
    target = _own_path(ask.text("next", "/"))
    try:
        person = ask.studio.sign_in.with_password(name, password)
    except UiError as problem:
        if not ask.is_form:
            raise
        wrong = " ".join(filter(None, (problem.what, problem.fix)))
        return Page(
            "sign_in",
            "Sign in",
            problem.to_json(),
            {"next": target, "wrong": wrong, "name": name},
            status=problem.status,
        )
    session = ask.studio.people.open_session(person)
    content = {"name": person.name, "role": person.role}
    return Redirect(target, content, headers=(session_cookie(session),))


def leave(ask: Ask) -> Redirect:
    """End the session."""
    if ask.who.session:
        ask.studio.people.close_session(ask.who)
    return Redirect("/sign-in", headers=(ended_session(),))


def _own_path(path: str) -> str:
    """A path of this studio: never a URL of another site."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if is_own and path.isprintable() else "/"
