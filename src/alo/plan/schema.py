"""The JSON Schema of a plan, for editors that complete and check it."""

from __future__ import annotations

from alo.plan.keys.plan import PLAN
from alo.plan.keys.shapes import Schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def plan_schema() -> Schema:
    """JSON Schema (draft 2020-12) of ``experimental_plan.yaml``.

    It accepts every plan that ``load_plan`` accepts, and cannot see rules across keys, such as
    a step that is missing in ``asset_source``.
    """
    return {
        "$schema": DIALECT,
        "title": "ALO experimental plan",
        "description": "The plan of an ALO solution: its steps, their args, and how they are run.",
        **PLAN.schema(),
    }
