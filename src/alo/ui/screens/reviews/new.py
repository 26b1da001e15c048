"""``POST /reviews``: make a review as a job.

A job, as the results of many runs are read, which takes seconds: it outlives the studio and the
page, its output says what was left out, and as nothing is run it waits for no run either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from alo.errors import AloError, CheckError
from alo.history.filters import Filters, parse_param, parse_since
from alo.history.ids import utc_now
from alo.json_text import json_bytes
from alo.layout import find_plan
from alo.loop.named_columns import check_label, check_slices
from alo.loop.new_review import ReviewRequest, runs_of
from alo.loop.plan_settings import settings_of, settings_of_plan
from alo.loop.record_inputs import run_files
from alo.review.labels import Label, Labels
from alo.review.results.tables import missing_columns, output_path
from alo.review.reviews import check_name
from alo.review.settings import CSV, FOLDERS, REQUEST, ReviewSettings
from alo.tables.reading import columns_of
from alo.texts import is_whole_number
from alo.ui.ask import Ask, share_of
from alo.ui.problems import FieldProblem, UiError, problem_at
from alo.ui.rendering.page import Redirect
from alo.ui.screens.reviews.new_form import (
    KEYS,
    LISTS,
    LOOKS,
    PROBABILITIES,
    REVIEW,
    lines_of,
    name_of,
    option_of,
    review_of,
)

COUNTS = ("random", "uncertain", "seed")
Value = TypeVar("Value")


def start(ask: Ask) -> Redirect:
    """Check what was asked for, and queue it.

    Raises:
        UiError: 422: it makes no sense, with what is wrong at each field.
    """
    asked = _Asked(ask)
    request = asked.request()
    if request is None or asked.problems:
        raise UiError(422, "the review cannot be made so", fields=asked.problems)
    words = ["review", "new", request.name, "--json", *asked.words()]
    job = ask.studio.jobs.add(words, "", ask.who.name, ask.text("key"), is_form=ask.is_form)
    return Redirect(f"/jobs/{job.id}", job.to_json(), json_status=202)


class _Asked:
    """What a form or a script has given, and what is wrong with it."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.problems: list[FieldProblem] = []
        self._review = review_of(ask)
        self._counts = {key: self._count(key) for key in COUNTS}
        self._lists = {key: lines_of(ask, key) for key in ("runs", "filter", "pick")}

    def request(self) -> ReviewRequest | None:
        """The same as ``alo review new`` makes of its options; None: it makes no sense."""
        ask, studio = self._ask, self._ask.studio
        name = ask.text("name").strip()
        self._try("name", lambda: check_name(name))
        if any(each.name == name for each in studio.reviews.all()):
            self._wrong("name", f"there is a review '{name}'")
        since = ask.text("since").strip()
        began = self._try("since", lambda: parse_since(since)) if since else ""
        filters = self._try("filter", lambda: tuple(map(parse_param, self._lists["filter"])))
        second_look = self._share("second_look")
        settings = self._settings()
        if self.problems or settings is None:
            return None
        request = ReviewRequest(
            name=name,
            person=ask.who.name,
            time=utc_now(),
            settings=settings,
            runs=self._lists["runs"],
            filters=Filters(since=began or "", params=filters or ()),
            picked=self._lists["pick"],
            second_look=second_look or 0.0,
        )
        self._check_runs(request)
        return request

    def words(self) -> Iterator[str]:
        """The options of ``alo review new`` for it."""
        ask = self._ask
        yield from _several("--runs", self._lists["runs"])
        if since := ask.text("since").strip():
            yield f"--since={since}"
        yield from (f"--filter={each}" for each in self._lists["filter"])
        for key, count in self._counts.items():
            if count is not None:
                yield f"--{key}={count}"
        yield from _several("--pick", self._lists["pick"])
        if (share := self._share("second_look")) is not None:
            yield f"--second-look={share:g}"
        for key, value in self._review.items():
            if isinstance(value, Mapping) and key == "truth":
                is_table = value.get("layout", CSV) == CSV
                table = f"{value.get('file', '')}:{value.get('path', '')}"
                yield f"--truth={table if is_table else FOLDERS}"
            elif isinstance(value, Mapping):
                yield from (f"{option_of(key)}={name}={each}" for name, each in value.items())
            elif isinstance(value, list):
                yield from _several(f"--{key}", [name_of(each) for each in value])
                yield from _looks(value)
            else:
                yield f"--{key}={value}"

    def _settings(self) -> ReviewSettings | None:
        """The plan's settings with what is given in their place, checked by the plan's rules."""
        from alo.plan.load import parse_plan  # long to import, and no other page needs it

        home = self._ask.studio.workspace.home
        for key in self._review.keys() - set(KEYS):
            self._wrong(f"{REVIEW}{key}", f"no such key; there are {', '.join(KEYS)}")
        for key in LISTS:
            values = self._review.get(key, [])
            names = values if isinstance(values, list) else []
            if odd := [each for each in map(name_of, names) if each[:1] in ("", "-")]:
                self._wrong(f"{REVIEW}{key}", f"'{odd[0]}' has to be a text, without - at first")
        given = self._review.get(PROBABILITIES, {})
        if isinstance(given, Mapping) and (odd := [each for each in given if "=" in each]):
            what = f"'{odd[0]}' has an = in it: the plan can name it"
            self._wrong(f"{REVIEW}{PROBABILITIES}", what)
        for key, part in LOOKS.items():
            self._check_looks(key, part)
        if self.problems:
            return None
        steps = {"inference_pipeline": [{"step": "any"}]}
        section = {key: value for key, value in self._review.items() if key not in LOOKS}
        text = json_bytes({"user_parameters": steps, "review": section})
        try:
            read = parse_plan(text, path=find_plan(home), home=home).review
            planned = settings_of_plan(self._ask.studio.workspace)
        except CheckError as error:
            for each in error.problems:
                self._wrong(*_field_of(each.key, each.what))
            return None
        said = settings_of(read) if read else ReviewSettings()
        return planned.overridden({key: getattr(said, key) for key in self._review})

    def _check_looks(self, key: str, part: str) -> None:
        """See that labels can have the keys, or the colours, that are given."""
        given = self._review.get(key, {})
        texts = given.values() if isinstance(given, Mapping) else [None]
        if not isinstance(given, Mapping) or not all(isinstance(each, str) for each in texts):
            self._wrong(f"{REVIEW}{key}", "it has to be an object of texts")
            return
        self._try(
            f"{REVIEW}{key}",
            lambda: Labels.named(
                Label(id=name, name=name, **{part: value}) for name, value in given.items()
            ),
        )

    def _check_runs(self, request: ReviewRequest) -> None:
        """See that there are such runs, and that the newest has the columns that are named."""
        field = "runs" if request.runs else "since" if request.filters.since else "filter"
        entries = self._try(field, lambda: runs_of(self._ask.studio.workspace, request))
        if not entries or request.settings.unit == REQUEST:
            return
        files = run_files(entries[0])
        path = self._try("runs", lambda: output_path(files))
        if path is None:
            return
        columns = self._try("runs", lambda: columns_of(path)) or ()
        for key, column in missing_columns(columns, request.settings).items():
            known = ", ".join(columns) or "none: it is empty"
            self._wrong(
                f"{REVIEW}{key.partition('.')[0]}", f"no column '{column}'; columns: {known}"
            )
        settings, workspace = request.settings, self._ask.studio.workspace
        self._try(f"{REVIEW}slices", lambda: check_slices([files], settings))
        self._try(f"{REVIEW}label", lambda: check_label(workspace, [files], settings))

    def _count(self, key: str) -> int | None:
        value = self._ask.body.get(key, "")
        text = value.strip() if isinstance(value, str) else value
        if text == "" or text is None:
            return None
        if type(text) is int and text >= 0:
            return text
        if isinstance(text, str) and is_whole_number(text):
            return int(text)
        self._wrong(key, f"a whole number, not '{value}'")
        return None

    def _share(self, key: str) -> float | None:
        value = self._ask.body.get(key, "")
        if value in ("", None):
            return None
        if (share := share_of(value)) is None:
            self._wrong(key, f"a share from 0 to 1, not '{value}'")
        return share

    def _try(self, field: str, check: Callable[[], Value]) -> Value | None:
        try:
            return check()
        except (AloError, OSError) as error:
            if isinstance(error, AloError):
                self._wrong(*problem_at(field, error))
            else:
                self._wrong(field, str(error))
            return None

    def _wrong(self, field: str, what: str) -> None:
        if FieldProblem(field, what) not in self.problems:
            self.problems.append(FieldProblem(field, what))


def _looks(labels: Sequence[object]) -> Iterator[str]:
    """The options for the keys and colours of labels that are given as the plan has them."""
    for label in labels:
        if isinstance(label, Mapping):
            for key, part in LOOKS.items():
                if value := label.get(part):
                    yield f"{option_of(key)}={name_of(label)}={value}"


def _field_of(key: str, what: str) -> tuple[str, str]:
    """The field of a problem of the plan, and what is wrong: with which part of it."""
    if not key.startswith(REVIEW):
        return "review", what
    name = re.split(r"[.\[]", key.removeprefix(REVIEW), maxsplit=1)[0]
    part = key.removeprefix(f"{REVIEW}{name}").lstrip(".")
    return f"{REVIEW}{name}", f"{part}: {what}" if part else what


def _several(option: str, values: Sequence[object]) -> Iterator[str]:
    if values:
        yield option
        yield from map(str, values)
