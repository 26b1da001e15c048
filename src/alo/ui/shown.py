"""Values as pages show them to people."""

from __future__ import annotations

from markupsafe import Markup

from alo.json_text import json_text


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
    return Markup('<time datetime="{}">{}</time>').format(text, plain)


def arg(value: object) -> str:
    """The value of an arg, as JSON has it; a text as it is."""
    return value if isinstance(value, str) else json_text(value)
