"""Values as pages show them to people."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from markupsafe import Markup

from alo.json_text import json_text

Translate = Callable[[object], str]
ONE_LINE = 30  # characters that a cell has room for
STATES = 50  # whose elements are kept: there are fewer, unless someone wrote others into records


def duration(seconds: object) -> str:
    """A time span: 12 ms, 3.4 s, 2 min 05 s."""
    if not isinstance(seconds, int | float):
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {left:02} s"


def number(value: object) -> str:
    """A number with as many digits as say something; nothing where there is none."""
    if value is None or value == "":
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def percent(value: object, digits: int = 1) -> str:
    """A share, or a difference of two, in percent."""
    return f"{value:.{digits}%}" if isinstance(value, int | float) else ""


def size(count: object) -> str:
    """An amount of bytes."""
    if not isinstance(count, int | float):
        return ""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def short(run_id: str) -> str:
    """A run's id without the solution's name, which all runs of a project share."""
    return "-".join(run_id.split("-", 2)[:2])


def moment(text: object) -> Markup:
    """A time in UTC, which the page's script shows in the reader's own."""
    if not isinstance(text, str) or not text:
        return Markup()
    plain = text[:19].replace("T", " ")
    return Markup(f'<time datetime="{html.escape(text)}">{html.escape(plain)}</time>')  # noqa: S704


def arg(value: object) -> str:
    """The value of an arg, as JSON has it; a text as it is."""
    if isinstance(value, str):
        return value
    return str(value) if type(value) is int else json_text(value)  # most of them are numbers


def states(translate: Translate) -> Callable[[str], Markup]:
    """What shows the state of a run, a step or a job, in words of a language."""

    @lru_cache(STATES)
    def state(name: str) -> Markup:
        known, called = html.escape(name), html.escape(translate(name))
        return Markup(f'<span class="state" data-state="{known}">{called}</span>')  # noqa: S704

    return state


def cells(
    state: Callable[[str], str], translate: Translate
) -> Callable[[Iterable[tuple[str, object]]], Markup]:
    """What shows a run's values, each of its column, as the cells of a row of a list.

    A list has hundreds of them: a template would take most of a page's time to choose for each.
    """
    ways: Mapping[str, Callable[[object], str]] = {
        "status": lambda value: f"<td>{state(str(value))}</td>",
        "pipeline": lambda value: f"<td>{html.escape(translate(value))}</td>",
        "start_time": lambda value: f"<td>{moment(value)}</td>",
        "seconds": lambda value: f'<td class="number">{duration(value or None)}</td>',
        "score": lambda value: f'<td class="number">{html.escape(number(value))}</td>',
    }

    def other(value: object) -> str:
        text = "" if value is None else html.escape(arg(value))
        if len(text) <= ONE_LINE:
            return f'<td class="cell">{text}</td>'
        return f'<td class="cell" tabindex="0" title="{text}">{text}</td>'  # cut off by the style

    def shown_cells(values: Iterable[tuple[str, object]]) -> Markup:
        shown = [ways.get(column, other)(value) for column, value in values]
        return Markup("".join(shown))  # noqa: S704 - each is escaped

    return shown_cells
