"""``POST /datasets``: make a version of a data set as a job; and the form for it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence

from alo.datasets.catalog import Catalog, check_name
from alo.datasets.split import TEST_SHARE
from alo.errors import DatasetError, UsageError
from alo.loop.make_dataset import NONE
from alo.review.reviews import Reviews
from alo.ui.access.roles import OPERATOR
from alo.ui.ask import Ask, share_of
from alo.ui.problems import FieldProblem, UiError, problem_at, refused_value
from alo.ui.refused import or_again
from alo.ui.rendering.page import Page, Redirect

LONGEST_NOTE = 2000


def form(ask: Ask) -> Page:
    """The form; ``review`` and ``base`` of the URL are filled in."""
    ask.query.allow("review", "base", "name")
    reviews = ask.query.many("review")
    return _page(ask, reviews, ask.query.one("name"), ask.query.one("base"))


def _page(ask: Ask, reviews: Sequence[str], name: str, base: str) -> Page:
    known = Reviews(ask.studio.database).all()
    chosen = [each for each in reviews if any(each == other.name for other in known)]
    name = name or (chosen[0] if chosen else "")
    content = {
        "reviews": [{"name": each.name, "state": each.state} for each in known],
        "datasets": Catalog(ask.studio.workspace).names(),
    }
    shown = {
        "chosen": chosen,
        "name": name,
        "base": base,
        "usual_share": TEST_SHARE,
        "key": os.urandom(8).hex(),
        "command": _command(name, chosen, base) if chosen else "alo review new",
    }
    return Page("make_dataset", "Make a data set", content, shown, folder="loop/")


def _command(name: str, reviews: Sequence[str], base: str) -> str:
    words = ["alo", "dataset", "make", name, "--review", *reviews]
    return shlex.join([*words, *(["--base", base] if base else [])])


def make(ask: Ask) -> Page | Redirect:
    """Check what was asked for, and queue it; a form that is refused is shown as it was sent."""
    return or_again(ask, _make, _form_as_sent, ask.page_at("/datasets/new"))


def _form_as_sent(ask: Ask) -> Page:
    return _page(ask, _reviews(ask), ask.text("name"), ask.text("base"))


def _make(ask: Ask) -> Redirect:
    name, reviews = ask.text("name"), _reviews(ask)
    problems = [
        *_problem("name", lambda: check_name(name)),
        *_problem("reviews", lambda: _check_reviews(ask, reviews)),
        *_problem("base", lambda: _check_base(ask, ask.text("base"))),
        *_problem("test_share", lambda: _share(ask)),
    ]
    note = " ".join(ask.text("note").split())
    if len(note) > LONGEST_NOTE:
        problems.append(FieldProblem("note", f"it has more than {LONGEST_NOTE} characters"))
    if problems:
        raise UiError(422, "the data set cannot be made so", fields=problems)
    words = ["dataset", "make", name, "--json", "--review", *reviews]
    words += [f"--base={base}"] if (base := ask.text("base").strip()) else []
    words += [f"--test-share={_share(ask):g}"]
    words += [f"--note={note}"] if note else []
    job = ask.studio.jobs.add(words, "", ask.who.name, ask.text("key"), is_form=ask.is_form)
    return Redirect(f"/jobs/{job.id}", job.to_json(), json_status=202)


def _problem(field: str, check: Callable[[], object]) -> list[FieldProblem]:
    try:
        check()
    except (UsageError, DatasetError) as error:
        return [problem_at(field, error)]
    return []


def _reviews(ask: Ask) -> list[str]:
    """The names that are given: a list, a text, or, of a form, a line for each."""
    given = ask.body.get("reviews", ask.body.get("review", []))
    names = given.splitlines() if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise refused_value("reviews", "it has to be a list of names")
    return list(dict.fromkeys(filter(None, (each.strip() for each in names))))


def _check_reviews(ask: Ask, names: Sequence[str]) -> None:
    if not names:
        raise UsageError("name a review that it is made of", fix="alo review new NAME makes one")
    for name in names:
        Reviews(ask.studio.database).get(name)


def _check_base(ask: Ask, base: str) -> None:
    """A version, or none; a path only from who may run things on any path anyway."""
    base = base.strip()
    if not base or base == NONE:
        return
    if ask.who.may(OPERATOR) and os.path.exists(ask.studio.workspace.home / base):
        return
    Catalog(ask.studio.workspace).find(base)


def _share(ask: Ask) -> float:
    given = ask.body.get("test_share", TEST_SHARE)
    if (share := share_of(given)) is None:
        raise UsageError(f"a share from 0 to 1, not '{given}'")
    return share
