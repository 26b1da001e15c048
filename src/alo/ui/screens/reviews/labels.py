"""``POST /reviews/{name}/labels``: labels are added, renamed, merged, recoloured and deleted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from alo.database.audit import add_change
from alo.errors import LabelError
from alo.review.labels import Labels
from alo.review.rows import Review
from alo.ui.ask import Ask
from alo.ui.problems import FieldProblem, UiError, refused_value
from alo.ui.refused import or_again
from alo.ui.rendering.page import Page, Redirect
from alo.ui.screens.reviews import records
from alo.ui.screens.reviews.named import named

ADD, RENAME, MERGE, RECOLOUR, DELETE = ACTIONS = ("add", "rename", "merge", "recolour", "delete")
FIELD_OF = {ADD: "name", RENAME: "to", MERGE: "into", RECOLOUR: "colour", DELETE: "name"}


def change(ask: Ask) -> Page | Redirect:
    """Change a label; what was said stays as it was said.

    Raises:
        UiError: 409: it is in use, and cannot be deleted; 422: it cannot be so.
    """
    return or_again(ask, _change, records.show, ask.page_at(f"/reviews/{ask.names['name']}"))


def _change(ask: Ask) -> Redirect:
    review = named(ask)
    action = ask.text("action")
    if action not in ACTIONS:
        raise refused_value("action", f"'{action}' is none of {', '.join(ACTIONS)}")
    given = {key: ask.text(key).strip() for key in ("name", "to", "into", "colour", "key")}
    said = {"action": action, **{key: value for key, value in given.items() if value}}
    try:
        with ask.studio.database.transaction() as rows:
            changed = _changed(ask, review, action, given)
            add_change(rows, ask.who.name, "labels", review.name, _names(review), said)
    except LabelError as error:
        if action == DELETE and not given["into"] and given["name"] in review.labels.ids:
            raise UiError(409, error.what, fix=error.fix) from error
        ours = re.sub("'.*'", "", error.what)  # without what was typed
        field = "key" if "key" in ours else FIELD_OF[action]
        raise UiError(
            422, error.what, fix=error.fix, fields=[FieldProblem(field, error.what)]
        ) from error
    content = {"labels": [each.to_json() for each in changed.labels.shown]}
    return Redirect(f"/reviews/{review.name}#labels", content)


def _changed(ask: Ask, review: Review, action: str, given: Mapping[str, str]) -> Review:
    reviews, name = ask.studio.reviews, given["name"]
    if action == DELETE:
        return reviews.remove_label(review.name, name, given["into"])
    ways: Mapping[str, Callable[[Labels], Labels]] = {
        ADD: lambda labels: labels.add(name, key=given["key"], colour=given["colour"]),
        RENAME: lambda labels: labels.rename(name, given["to"]),
        MERGE: lambda labels: labels.merge(name, given["into"]),
        RECOLOUR: lambda labels: labels.recolour(
            name, _look(ask, labels, name, "colour"), _look(ask, labels, name, "key")
        ),
    }
    return reviews.change_labels(review.name, ways[action])


def _look(ask: Ask, labels: Labels, name: str, look: str) -> str:
    """The colour or key that a label gets: what is not given, or is empty in a form, stays."""
    given = ask.text(look).strip()
    is_said = bool(given or ask.text(f"no_{look}")) if ask.is_form else look in ask.body
    if is_said:
        return given
    return next((str(getattr(each, look)) for each in labels.shown if each.name == name), "")


def _names(review: Review) -> dict[str, object]:
    return {"labels": [each.name for each in review.labels.shown]}
