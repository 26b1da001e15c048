"""What a shadow's answers were beside those of the model in use, summed up."""

from __future__ import annotations

import json
from contextlib import suppress
from statistics import fmean
from typing import NamedTuple

from alo.history.deployment import read_deployment
from alo.layout import Workspace

FILE = "shadow.jsonl"  # in .alo/: a line for each request that both models have answered
OLD_FILE = "shadow.old.jsonl"  # those before


class Comparison(NamedTuple):
    """All requests that the shadow of now has seen."""

    requests: int
    same_results: int
    mean_score: float
    mean_shadow_score: float


def compared(workspace: Workspace) -> Comparison | None:
    """What is known of the shadow that runs now; None: nothing yet."""
    shadow = read_deployment(workspace).shadow
    text = ""
    for name in (OLD_FILE, FILE):
        with suppress(OSError):
            text += (workspace.internal / name).read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
    own = [line for line in lines if line.get("shadow") == shadow]
    scores = [line["score"] for line in own if line["score"] is not None]
    shadows = [line["shadow_score"] for line in own if line["shadow_score"] is not None]
    if not own:
        return None
    return Comparison(
        len(own),
        sum(line["same_result"] for line in own),
        fmean(scores) if scores else 0.0,
        fmean(shadows) if shadows else 0.0,
    )
