"""``save_metric``: a line for each number, in full precision, beside the run's summary."""

from __future__ import annotations

import json
import os
from math import isfinite
from time import gmtime, strftime, time
from typing import Any

from alolib.disk import fix_of
from alolib.errors import MetricError
from alolib.paths import make_folder

LONGEST_NAME = 100  # characters
OF_SUMMARY = ("score", "result", "note", "probability")  # what save_summary keeps


def check_name(name: object) -> str:
    """The name of a metric.

    Raises:
        MetricError: nothing can be called so.
    """
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME:
        raise MetricError(
            f"a metric cannot be called {name!r}",
            fix=f"give it a name of 1 to {LONGEST_NAME} characters: save_metric('f1', value)",
        )
    if name.partition(".")[0] in OF_SUMMARY:
        raise MetricError(
            f"'{name}' is part of the summary",
            fix="save_summary keeps it; give the metric another name",
        )
    return str(name)


def check_value(name: str, value: Any) -> float:
    """The value of a metric, from any kind of number, NumPy's too.

    Raises:
        MetricError: it is none, or not finite.
    """
    convert = getattr(value, "__float__", None)
    if convert is None or isinstance(value, bool):
        raise MetricError(f"metric '{name}' is {value!r}; it has to be a number")
    try:
        number = float(convert())
    except (TypeError, ValueError, OverflowError) as error:  # an array of several, say
        raise MetricError(f"metric '{name}' is {value!r}; it has to be one number") from error
    if not isfinite(number):
        raise MetricError(f"metric '{name}' is {number}; it has to be a finite number")
    return number


def check_step(name: str, step: Any) -> int | None:
    """How far the training was: a whole number from 0 on, or nothing.

    Raises:
        MetricError: it is something else.
    """
    if step is None:
        return None
    convert = getattr(step, "__index__", None)
    if convert is None or isinstance(step, bool) or (number := int(convert())) < 0:
        raise MetricError(f"step of metric '{name}' is {step!r}; it has to be a whole number")
    return number


def append_metric(path: str, name: str, value: float, step: int | None) -> None:
    """Add a line to the run's metrics, whole or not at all.

    Raises:
        MetricError: it cannot be written.
    """
    moment = time()
    stamp = f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(moment))}.{int(moment % 1 * 1e6):06}Z"
    line = json.dumps({"name": name, "value": value, "step": step, "time": stamp})
    content = f"{line}\n".encode()
    try:
        make_folder(os.path.dirname(path))
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            written = os.write(descriptor, content)
            if written < len(content):  # no room for all of it: half a line is none
                os.ftruncate(descriptor, os.fstat(descriptor).st_size - written)
                raise OSError(28, "no room for it")
        finally:
            os.close(descriptor)
    except OSError as error:
        raise MetricError(
            f"metric '{name}' cannot be written: {error.strerror}", where=path, fix=fix_of(error)
        ) from error


def last_metrics(path: str) -> dict[str, float]:
    """The last value of each metric in a file; a line that is none counts for nothing."""
    found: dict[str, float] = {}
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:  # none was saved
        return found
    for line in lines:
        try:
            stored = json.loads(line)
            found[str(stored["name"])] = check_value(str(stored["name"]), stored["value"])
        except (ValueError, TypeError, KeyError, MetricError):
            continue
    return found
