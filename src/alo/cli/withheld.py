"""What of the environment is for ALO alone: taken out of it before an asset could see it.

A command that continues in another environment of the project's gets them again.
"""

from __future__ import annotations

import os

ALARM_SECRET = "ALO_ALARM_SECRET"  # noqa: S105 - its name; as in alo.alarms.call

_taken: dict[str, str] = {}


def take(name: str) -> str:
    """The value of a variable, which no asset sees from now on; empty: it has none."""
    value = os.environ.pop(name, "")
    if value:
        _taken[name] = value
    return value


def whole_environment() -> dict[str, str]:
    """The environment with all that was taken out of it."""
    return {**_taken, **os.environ}
