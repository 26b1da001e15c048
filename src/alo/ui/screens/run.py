"""``/runs/{id}`` and what is below it: one run, whoever has started it, also while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from alo.events.envelope import NAMES
from alo.events.types import StepFinished, StepStarted
from alo.ui.ask import Ask
from alo.ui.drawing.timeline import Bar, Timeline, timeline
from alo.ui.found_run import FileOfRun, FoundRun, find_run
from alo.ui.problems import UiError
from alo.ui.readers.text_windows import TextWindow, text_window
from alo.ui.readers.tracebacks import traceback_lines
from alo.ui.rendering.page import Page
from alo.ui.screens.files.files import kind_of

MOST_CODE = 1_000_000  # bytes of a file of code that are shown
LOGS = {"pipeline": "pipeline.log", "process": "process.log"}
TRACEBACK = "Traceback (most recent call last)"
SECTIONS = ("steps", "log", "files", "plan", "code")
OUTPUT_FOLDERS = ("output/", "extra_output/", "report/")


class StepShown(NamedTuple):
    """A step of a run, as far as it has come."""

    name: str
    status: str  # waiting, running, success, error or cached
    started: str
    ended: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    data_keys: Sequence[str]
    note: str = ""  # why it was not taken from the cache, or that it was


def show(ask: Ask) -> Page:
    """The run's own page: opens at its error, if it has one."""
    ask.query.allow()
    found = find_run(ask)
    files = found.files()
    content = {**_content(found), "files": [_file(each) for each in files]}
    shown = {
        **_frame(found, ""),
        "drawing": _timeline(content["steps"]),
        "outputs": [_file(each) for each in files if each.path.startswith(OUTPUT_FOLDERS)],
        "traceback": traceback_lines(_traceback(found), found.workspace.home),
    }
    return Page("run", found.record.id, content, shown, folder="runs/")


def steps(ask: Ask) -> Page:
    """Its steps over time."""
    ask.query.allow()
    found = find_run(ask)
    content = _content(found)
    return Page(
        "run_steps",
        found.record.id,
        content,
        {**_frame(found, "steps"), "drawing": _timeline(content["steps"])},
        folder="runs/",
    )


def log(ask: Ask) -> Page:
    """A window of a log; its end, unless another is asked for."""
    ask.query.allow("file", "from", "q")
    found = find_run(ask)
    name = LOGS[ask.query.one("file", "pipeline", among=LOGS)]
    path = _log_path(found, name)
    start = ask.query.number("from", -1, 0, 10**15)
    window = text_window(path, start, ask.query.one("q")) if path else TextWindow.nothing()
    content = {"id": found.record.id, "file": name, **window.to_json()}
    shown = {**_frame(found, "log"), "window": window, "logs": LOGS, "name": name}
    return Page("run_log", found.record.id, content, shown, folder="runs/")


def plan(ask: Ask) -> Page:
    """The plan as it ran."""
    ask.query.allow()
    found = find_run(ask)
    text = found.plan().decode("utf-8", "replace")
    return Page(
        "run_plan",
        found.record.id,
        {"id": found.record.id, "plan": text},
        _frame(found, "plan"),
        folder="runs/",
    )


def code(ask: Ask) -> Page:
    """The code as it ran."""
    ask.query.allow()
    found = find_run(ask)
    names = [each.path for each in found.files() if _is_code(each.path)]
    sources = [
        {"path": name, "text": _text(found.folder / name)} for name in names if found.is_in_history
    ]
    content = {"id": found.record.id, "code_id": found.record.code_id, "files": sources}
    return Page("run_code", found.record.id, content, _frame(found, "code"), folder="runs/")


def steps_of(found: FoundRun) -> list[StepShown]:
    """The steps of a run: from its events, or, where those were not kept, from its record."""
    names: list[str] = []
    known: dict[str, StepShown] = {}
    for each in found.events():
        payload: Mapping[str, object] = each.content["payload"]
        if each.name == "run_started":
            given = payload.get("steps")
            names = [str(name) for name in given] if isinstance(given, list) else []
        event = each.event()
        time = str(each.content["time"])
        if isinstance(event, StepStarted):
            known[event.step] = StepShown(event.step, "running", time, "", 0, 0, 0, ())
        elif isinstance(event, StepFinished):
            started = known[event.step].started if event.step in known else time
            known[event.step] = StepShown(
                event.step,
                event.status,
                started,
                time,
                event.seconds,
                event.cpu_seconds,
                event.peak_bytes,
                event.keys_added,
                event.note,
            )
    if not known and found.record.steps:
        return [
            StepShown(
                each.name,
                each.status,
                "",
                "",
                each.seconds,
                each.cpu_seconds,
                each.peak_bytes,
                each.data_keys,
            )
            for each in found.record.steps
        ]
    is_over = found.record.status != "running"
    ended = {name: step for name, step in known.items()}
    for name, step in known.items():
        if is_over and step.status == "running":
            ended[name] = step._replace(status=found.record.status)
    waiting = [StepShown(name, "waiting", "", "", 0, 0, 0, ()) for name in names]
    return [ended.get(step.name, step) for step in waiting] or list(ended.values())


def _content(found: FoundRun) -> dict[str, object]:
    record = found.record
    return {
        **record.to_list_json(),
        "seconds": record.seconds,
        "reason": record.reason,
        "failed_step": record.failed_step,
        "steps": [each._asdict() for each in steps_of(found)],
        "overrides": record.overrides,
        "packages": record.packages,
        "python": record.python,
        "alo_version": record.alo_version,
        "host": record.host,
        "git": record.git,
        "data": record.data_id_description,
        "is_in_history": found.is_in_history,
    }


def _frame(found: FoundRun, section: str) -> dict[str, object]:
    return {
        "run": found.record,
        "found": found,
        "section": section,
        "sections": SECTIONS,
        "finished": NAMES,
        "command": f"alo history show {found.record.id}",
        "again": f"alo history rerun {found.record.id}",
    }


def _timeline(steps: object) -> Timeline | None:
    given = steps if isinstance(steps, list) else []
    return timeline([Bar(s["name"], s["status"], s["started"], s["ended"]) for s in given])


def _file(file: FileOfRun) -> dict[str, object]:
    return {"path": file.path, "size": file.size, "type": kind_of(file.path)}


def _traceback(found: FoundRun) -> str:
    """The traceback of the asset that failed, from the run's events."""
    if found.record.status not in ("error", "interrupted"):
        return ""
    lines = [
        text
        for each in found.events()
        if each.name == "log"
        and isinstance(text := each.content["payload"].get("text"), str)
        and TRACEBACK in text
    ]
    # What is before it is the reason, which the page has already.
    return lines[-1][lines[-1].index(TRACEBACK) :] if lines else ""


def _log_path(found: FoundRun, name: str) -> Path | None:
    try:
        return found.file(f"log/{name}")
    except UiError:
        return None


def _is_code(name: str) -> bool:
    return name.startswith(("assets/", "project_code/"))


def _text(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(MOST_CODE).decode("utf-8", "replace")
    except OSError as error:
        return f"({error.strerror})"
