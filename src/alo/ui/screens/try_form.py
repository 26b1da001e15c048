"""The form that tries the pipeline: what it shows, and what it sends.

Imported by its screen alone: no other page needs what it needs.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from alo.plan.model import Plan
from alo.serve.file_names import ReservedNameError, checked_file_name
from alo.serve.http_api.docs.bodies import args_schema
from alo.serve.known_input import known_input
from alo.ui.arg_fields import arg_fields, from_form, from_json
from alo.ui.ask import Ask
from alo.ui.problems import FieldProblem, UiError
from alo.ui.rendering.page import Page
from alo.ui.try_out.client import Sent, Upload
from alo.ui.try_out.try_out import WORKER

DATA = ("rows", "csv", "files")
NOTHING: Mapping[str, object] = {}


def form_page(ask: Ask, plan: Plan, answer: Mapping[str, object] = NOTHING) -> Page:
    """The form; once something was sent, also its answer, which is all that a script gets."""
    known = known_input(ask.studio.workspace, plan)
    services = [
        {"name": each.name, "url": each.url, "wants_token": each.wants_token}
        for each in ask.studio.try_out.services()
    ]
    form = {"input": known.to_json(), "args": args_schema(plan), "services": services}
    shown = {
        **form,
        "fields": arg_fields(plan, "inference"),
        "known": known,
        "answer": answer,
        "worker": WORKER,
        "command": "alo serve",
    }
    return Page("try", "Try", answer or form, shown)


def sent_from(ask: Ask, plan: Plan) -> Sent:
    """What a request wants to be sent.

    Raises:
        UiError: 422: it is nothing, or cannot be so.
    """
    given = [key for key in DATA if ask.body.get(key)]
    if len(given) != 1:
        raise _refused("rows", f"one of {', '.join(DATA)} has to be there")
    fields = arg_fields(plan, "inference")
    chosen = (
        from_form(fields, ask.body)
        if ask.is_form
        else from_json(fields, ask.body.get("args", NOTHING))
    )
    if chosen.problems:
        raise UiError(422, "some args cannot be so", fields=chosen.problems)
    match given[0]:
        case "csv":
            return Sent(csv=ask.text("csv"), args=chosen.args)
        case "files":
            return Sent(files=_uploads(ask.body["files"]), args=chosen.args)
    rows = ask.body["rows"]
    if not isinstance(rows, list):
        raise _refused("rows", "it has to be a list of objects")
    return Sent(rows=rows, args=chosen.args)


def _uploads(given: object) -> list[Upload]:
    found = []
    for each in given if isinstance(given, list) else [given]:
        name = each.get("name") if isinstance(each, Mapping) else None
        content = each.get("content") if isinstance(each, Mapping) else None
        if not isinstance(name, str) or not isinstance(content, str):
            raise _refused("files", 'it has to be a list of {"name", "content"}')
        try:
            found.append(Upload(checked_file_name(name), base64.b64decode(content, validate=True)))
        except ReservedNameError as error:
            raise _refused("files", str(error)) from error
        except ValueError as error:
            raise _refused("files", f"the content of '{name[:50]}' is not Base64") from error
    return found


def _refused(field: str, what: str) -> UiError:
    return UiError(422, f"{field}: {what}", fields=[FieldProblem(field, what)])
