"""The form for a new review: its fields, what the plan has in their places, and what is sent."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from typing import NamedTuple

from alo.errors import AloError, CheckError
from alo.gate.verdict import GateSettings
from alo.history.filters import Filters
from alo.layout import Workspace
from alo.loop.plan_settings import gate_of_plan, settings_of_plan
from alo.review.labels import Label
from alo.review.results.tables import RunFiles, output_path
from alo.review.settings import CSV, UNITS, ReviewSettings
from alo.tables.reading import columns_of
from alo.ui.ask import Ask
from alo.ui.problems import refused_value

REVIEW = "review."  # of a form, before a key of the plan's section
PROBABILITIES, GATE = "probabilities", "gate"
LOOKS = {"label_keys": "key", "label_colours": "colour"}  # the plan has them in its labels
MAPPINGS, LISTS = (PROBABILITIES, GATE, *LOOKS), ("labels", "slices")
KEYS = (
    "unit", "prediction", PROBABILITIES, "certainty", "key", "image", "label", "truth", "labels",
    *LOOKS, "slices", GATE,
)  # fmt: skip
OPTIONS = {
    PROBABILITIES: "--probability", "label_keys": "--label-key", "label_colours": "--label-colour",
}  # fmt: skip
RANDOM = 100  # records, where the form asks for nothing else


class ReviewField(NamedTuple):
    """A key of the plan's section in the form."""

    key: str
    planned: str  # as the plan has it; empty: it does not say

    @property
    def name(self) -> str:
        """What the form calls it."""
        return f"{REVIEW}{self.key}"

    @property
    def is_list(self) -> bool:
        """Whether it has a line for each value."""
        return self.key in (*MAPPINGS, *LISTS)

    @property
    def option(self) -> str:
        """Of ``alo review new``."""
        return option_of(self.key)

    @property
    def is_repeated(self) -> bool:
        """Whether the option is given once for each value."""
        return self.key in MAPPINGS


def form_values(ask: Ask) -> Mapping[str, object]:
    """What the form shows: the keys of the plan, and the columns that they could name."""
    workspace = ask.studio.workspace
    try:
        planned = _of_plan(workspace)
    except (CheckError, OSError):
        planned = ReviewSettings()  # what is wrong with it is said by who uses it
    return {
        "fields": [ReviewField(key, _text(planned, key)) for key in KEYS],
        "units": UNITS,
        "columns": _columns(workspace, Filters(pipeline="inference", status="success")),
        "random": RANDOM,
        "key": os.urandom(8).hex(),
    }


def review_of(ask: Ask) -> dict[str, object]:
    """The keys of ``review``, as the plan would have them; of a form, one with a value each."""
    given = ask.body.get("review")
    if given is not None and not ask.is_form:
        if not isinstance(given, dict):
            raise refused_value("review", "it has to be an object")
        return {key: value for key, value in given.items() if value not in ("", None, [], {})}
    found: dict[str, object] = {}
    for name in ask.body:
        key = name.removeprefix(REVIEW)
        text = ask.text(name).strip() if name.startswith(REVIEW) else ""
        if not text:
            continue
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if key in MAPPINGS:
            pairs = dict(_pair(line, key) for line in lines)
            is_gate = key == GATE
            found[key] = {name: _number(each) if is_gate else each for name, each in pairs.items()}
        elif key == "truth":
            found[key] = _truth(text)
        else:
            found[key] = lines if key in LISTS else text
    return found


def lines_of(ask: Ask, key: str) -> list[str]:
    """The texts of a list, or the lines of a field; none begins with -, as options do."""
    given = ask.body.get(key, [])
    names = given.split("\n") if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise refused_value(key, "it has to be a list of texts")
    found = [each.strip() for each in names if each.strip()]
    if odd := [each for each in found if each.startswith("-")]:
        raise refused_value(key, f"'{odd[0]}' cannot begin with -")
    return list(dict.fromkeys(found))


def option_of(key: str) -> str:
    """The option of ``alo review new`` for a key of the form."""
    return OPTIONS.get(key, f"--{key}")


def name_of(given: object) -> str:
    """The name of a label, or a column, of a list of the plan; empty: it has none."""
    name = given.get("name") if isinstance(given, Mapping) else given
    return name if isinstance(name, str) else ""


def _pair(line: str, key: str) -> tuple[str, str]:
    name, equals, value = line.rpartition("=")
    if not (name and equals and value):
        raise refused_value(f"{REVIEW}{key}", f"NAME=VALUE, not '{line}'")
    return name.strip(), value.strip()


def _number(text: str) -> float | str:
    """As the plan has numbers; what is none is refused as the plan refuses it."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def _truth(text: str) -> dict[str, str]:
    file, _, path = text.rpartition(":")
    return {"layout": CSV, "file": file, "path": path} if file else {"layout": text}


def _of_plan(workspace: Workspace) -> ReviewSettings:
    """What the plan says, each key of the form by itself."""
    planned, usual = settings_of_plan(workspace), asdict(GateSettings())
    labels = [each for each in planned.labels if isinstance(each, Label)]
    rules = asdict(gate_of_plan(workspace)).items()
    return replace(
        planned,
        label_keys={each.name: each.key for each in labels if each.key},
        label_colours={each.name: each.colour for each in labels if each.colour},
        gate={name: value for name, value in rules if value != usual[name]},
    )


def _text(planned: ReviewSettings, key: str) -> str:
    """A value of the plan as the form shows it; the usual one is not shown."""
    value = getattr(planned, key)
    if value == getattr(ReviewSettings(), key):
        return ""
    if key in MAPPINGS:
        return "\n".join(f"{name}={each}" for name, each in value.items())
    if key == "truth":
        return f"{value.file}:{value.path}" if value.layout == CSV else value.layout
    if key in LISTS:
        return "\n".join(getattr(each, "name", each) for each in value)
    return str(value)


def _columns(workspace: Workspace, filters: Filters) -> Sequence[str]:
    """The columns of the newest results: what the keys could name."""
    from alo.history.browse import History

    history = History(workspace)
    for record in history.list(filters, 1):
        folder = history.folder(record)
        if folder is None:
            continue
        try:
            return columns_of(output_path(RunFiles(record.id, folder / "output", None)))
        except (AloError, OSError):
            return ()
    return ()
