"""``/try``: send data to the inference pipeline, and see what comes back.

A service of the project that runs does it, or a worker of the studio's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alo.plan.model import Plan
from alo.serve.http_api.paths import encoded
from alo.ui.ask import Ask
from alo.ui.problems import UiError
from alo.ui.rendering.page import Download, Page
from alo.ui.screens.run_again import plan_now

if TYPE_CHECKING:
    from alo.ui.try_out.try_out import Tried


def show(ask: Ask) -> Page:
    """The form."""
    from alo.ui.screens.try_form import form_page  # long to import, and no other page needs it

    ask.query.allow()
    return form_page(ask, _plan(ask))


def send(ask: Ask) -> Page:
    """Send what was typed; a script gets the service's answer."""
    from alo.ui.screens.try_form import form_page, sent_from

    plan = _plan(ask)
    sent = sent_from(ask, plan)
    tried = ask.studio.try_out.infer(sent, ask.text("service"), ask.text("token"), ask.who.name)
    answer = _answer(ask, tried)
    ask.studio.audit.add(ask.who.name, "try", str(answer["id"]))
    return form_page(ask, plan, answer)


def output(ask: Ask) -> Download:
    """An output file of what was tried."""
    ask.query.allow()
    name = ask.names["path"]
    return Download(name, ask.studio.try_out.output(ask.names["id"], name, ask.who.name))


def _plan(ask: Ask) -> Plan:
    plan = plan_now(ask)
    if plan.inference is None:
        raise UiError(409, "the plan has no inference_pipeline", fix="give it one")
    return plan


def _answer(ask: Ask, tried: Tried) -> dict[str, object]:
    """The service's answer; its outputs are fetched through the studio."""
    base = ask.studio.settings.base_path
    outputs = tried.content.get("outputs")
    request_id = str(tried.content.get("id"))
    names = [str(each.get("name")) for each in outputs] if isinstance(outputs, list) else []
    return {
        **tried.content,
        "id": request_id,
        "service": tried.service,
        "outputs": [
            {"name": name, "url": f"{base}/try/{request_id}/outputs/{encoded(name)}"}
            for name in names
        ],
    }
