"""A form that is refused is shown again as it was sent, with what is wrong at each field.

Our scripts ask for JSON and keep the page; this is what a browser gets that runs none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from alo.errors import AloError
from alo.ui.ask import Ask
from alo.ui.problems import UiError, problem_of
from alo.ui.query import Query
from alo.ui.rendering.page import Page, Redirect

SECRETS = ("password",)  # fields that no page shows again


def or_again(
    ask: Ask,
    act: Callable[[Ask], Page | Redirect],
    form: Callable[[Ask], Page],
    at: Query | None = None,
) -> Page | Redirect:
    """What comes of a form; where it is refused, its page as it was sent.

    Args:
        act: does what was asked for.
        form: makes the page that the form is on.
        at: that page's URL, where the form is sent to another path.
    Raises:
        UiError: a script has asked, or what the form is about is not there.
    """
    try:
        return act(ask)
    except UiError as refused:
        problem = refused
    except (AloError, OSError) as error:
        problem = problem_of(error)
    if not ask.is_form or problem.status == 404:
        raise problem
    return _as_sent(ask, form(replace(ask, query=at) if at else ask), problem, at)


def _as_sent(ask: Ask, page: Page, problem: UiError, at: Query | None) -> Page:
    """The page with what was typed (``typed``), and what is ``wrong`` with it."""
    said: dict[str, str] = {}
    for each in problem.fields:
        said.setdefault(each.field, each.what)
    wrong = {name: said[name] for name in ask.body if name in said}  # in the order of the form
    of_no_field = {name: what for name, what in said.items() if name not in wrong}
    what = "" if problem.what in wrong.values() else problem.what
    about = dict.fromkeys((what, *of_no_field.values(), problem.fix))
    shown = {
        **page.content,
        **page.shown,
        "typed": {name: value for name, value in ask.body.items() if name not in SECRETS},
        "wrong": {**wrong, **of_no_field},
        "refusal": " · ".join(filter(None, about)) or problem.what,
    }
    return replace(
        page,
        content=problem.to_json(ask.say),
        shown=shown,
        status=problem.status,
        query=at or page.query,
    )
