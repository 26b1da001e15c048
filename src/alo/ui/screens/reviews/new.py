"""``POST /reviews``: make a review as a job; and what the form for it has to know.

A job, as the results of many runs are read, which takes seconds: it outlives the studio and the
page, its output says what was left out, and as nothing is run it waits for no run either.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from alo.errors import AloError, CheckError
from alo.history.filters import Filters, parse_param, parse_since
from alo.history.ids import utc_now
from alo.json_text import json_bytes
from alo.layout import Workspace, find_plan
from alo.loop.new_review import ReviewRequest, runs_of
from alo.loop.plan_settings import settings_of, settings_of_plan
from alo.loop.record_inputs import run_files
from alo.review.results.tables import RunFiles, missing_columns, output_path
from alo.review.reviews import check_name
from alo.review.settings import CSV, FOLDERS, REQUEST, UNITS, ReviewSettings
from alo.tables.reading import columns_of
from alo.texts import is_whole_number
from alo.ui.ask import Ask, share_of
from alo.ui.problems import FieldProblem, UiProblem, problem_at, refused_value
from alo.ui.rendering.page import Redirect

REVIEW = "review."  # of a form, before a key of the plan's section
MAPPING, LISTS = "probabilities", ("labels", "slices")
KEYS = (
    "unit", "prediction", MAPPING, "certainty", "key", "image", "label", "truth", *LISTS,
)  # fmt: skip
COUNTS = ("random", "uncertain", "seed")
RANDOM = 100  # records, where the form asks for nothing else
Value = TypeVar("Value")


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
        return self.key in (MAPPING, *LISTS)


def form_values(ask: Ask) -> Mapping[str, object]:
    """What the form shows: the keys of the plan, and the columns that they could name."""
    workspace = ask.studio.workspace
    try:
        planned = settings_of_plan(workspace)
    except (CheckError, OSError):
        planned = ReviewSettings()  # what is wrong with it is said by who uses it
    return {
        "fields": [ReviewField(key, _text(planned, key)) for key in KEYS],
        "units": UNITS,
        "columns": _columns(workspace, Filters(pipeline="inference", status="success")),
        "random": RANDOM,
        "key": os.urandom(8).hex(),
    }


def start(ask: Ask) -> Redirect:
    """Check what was asked for, and queue it.

    Raises:
        UiProblem: 422: it makes no sense, with what is wrong at each field.
    """
    asked = _Asked(ask)
    request = asked.request()
    if request is None or asked.problems:
        raise UiProblem(422, "the review cannot be made so", fields=asked.problems)
    words = ["review", "new", request.name, "--json", *asked.words()]
    job = ask.studio.jobs.add(words, "", ask.who.name, ask.text("key"), is_form=ask.is_form)
    return Redirect(f"/jobs/{job.id}", job.to_json(), json_status=202)


class _Asked:
    """What a form or a script has given, and what is wrong with it."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.problems: list[FieldProblem] = []
        self._review = _review_of(ask)
        self._counts = {key: self._count(key) for key in COUNTS}
        self._lists = {key: _lines(ask, key) for key in ("runs", "filter", "pick")}

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
                yield from (f"--probability={name}={column}" for name, column in value.items())
            elif isinstance(value, list):
                yield from _several(f"--{key}", value)
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
            if odd := [each for each in names if not isinstance(each, str) or each[:1] == "-"]:
                self._wrong(f"{REVIEW}{key}", f"'{odd[0]}' has to be a text, without - at first")
        given = self._review.get(MAPPING, {})
        if isinstance(given, Mapping) and (odd := [each for each in given if "=" in each]):
            self._wrong(f"{REVIEW}{MAPPING}", f"'{odd[0]}' has an = in it: the plan can name it")
        if self.problems:
            return None
        steps = {"inference_pipeline": [{"step": "any"}]}
        text = json_bytes({"user_parameters": steps, "review": self._review})
        try:
            read = parse_plan(text, path=find_plan(home), home=home).review
            planned = settings_of_plan(self._ask.studio.workspace)
        except CheckError as error:
            for each in error.problems:
                self._wrong(each.key if each.key.startswith(REVIEW) else "review", each.what)
            return None
        said = settings_of(read) if read else ReviewSettings()
        return planned.overridden({key: getattr(said, key) for key in self._review})

    def _check_runs(self, request: ReviewRequest) -> None:
        """See that there are such runs, and that the newest has the columns that are named."""
        field = "runs" if request.runs else "since" if request.filters.since else "filter"
        entries = self._try(field, lambda: runs_of(self._ask.studio.workspace, request))
        if not entries or request.settings.unit == REQUEST:
            return
        path = self._try("runs", lambda: output_path(run_files(entries[0])))
        if path is None:
            return
        columns = self._try("runs", lambda: columns_of(path)) or ()
        for key, column in missing_columns(columns, request.settings).items():
            known = ", ".join(columns) or "none: it is empty"
            self._wrong(
                f"{REVIEW}{key.partition('.')[0]}", f"no column '{column}'; columns: {known}"
            )

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


def _review_of(ask: Ask) -> dict[str, object]:
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
        if key == MAPPING:
            found[key] = dict(_pair(line) for line in lines)
        elif key == "truth":
            found[key] = _truth(text)
        else:
            found[key] = lines if key in LISTS else text
    return found


def _pair(line: str) -> tuple[str, str]:
    name, equals, column = line.rpartition("=")
    if not (name and equals and column):
        raise refused_value(f"{REVIEW}{MAPPING}", f"CLASS=COLUMN, not '{line}'")
    return name.strip(), column.strip()


def _truth(text: str) -> dict[str, str]:
    file, _, path = text.rpartition(":")
    return {"layout": CSV, "file": file, "path": path} if file else {"layout": text}


def _lines(ask: Ask, key: str) -> list[str]:
    given = ask.body.get(key, [])
    names = given.split("\n") if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise refused_value(key, "it has to be a list of texts")
    found = [each.strip() for each in names if each.strip()]
    if odd := [each for each in found if each.startswith("-")]:
        raise refused_value(key, f"'{odd[0]}' cannot begin with -")
    return list(dict.fromkeys(found))


def _several(option: str, values: Sequence[object]) -> Iterator[str]:
    if values:
        yield option
        yield from map(str, values)


def _text(planned: ReviewSettings, key: str) -> str:
    """A value of the plan as the form shows it; the usual one is not shown."""
    value = getattr(planned, key)
    if value == getattr(ReviewSettings(), key):
        return ""
    if key == MAPPING:
        return "\n".join(f"{name}={column}" for name, column in value.items())
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
