"""Which past runs are asked for: the options of ``alo history`` turned into values."""

from typing import TYPE_CHECKING

from alo.errors import UsageError
from alo.named_tuples import NamedTuple

if TYPE_CHECKING:
    from alo.history.record import RunRecord

STATUSES = ("success", "error", "interrupted", "running")
_RELATIVE = r"(\d+(?:\.\d+)?)\s*([smhdw])"
MOST_DIGITS = 18
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


HAS_PARAM = (  # asked of one run after the other, so that a list of the newest reads no more
    "EXISTS (SELECT 1 FROM params INDEXED BY params_by_run"
    " WHERE params.run = runs.run AND step = ? AND key = ? AND value = ?)"
)
OF_SWEEP = (
    "EXISTS (SELECT 1 FROM records WHERE records.run = runs.run"
    " AND json_extract(record, '$.sweep.name') = ?)"
)
OF_DATASET = (
    "EXISTS (SELECT 1 FROM records WHERE records.run = runs.run"
    " AND json_extract(record, '$.dataset') = ?)"
)
OF_REQUEST = (
    "EXISTS (SELECT 1 FROM records WHERE records.run = runs.run"
    " AND json_extract(record, '$.overrides[0]') = ?)"
)


class Param(NamedTuple):
    """An arg that a run was made with."""

    step: str
    key: str
    value: object


class Filters(NamedTuple):
    """All of them have to hold; an empty one asks for nothing."""

    pipeline: str = ""  # train or inference
    status: str = ""
    since: str = ""  # runs that started at this time or later, as utc_text writes it
    params: tuple[Param, ...] = ()
    sweep: str = ""  # trials of the sweep of this name
    dataset: str = ""  # train runs that were trained on this version, NAME@V
    model: str = ""  # inferences that used the model of this train run
    request: str = ""  # the run that has answered the request of this id


def parse_param(text: str) -> Param:
    """``step.key=value``, the value typed as in the plan.

    Raises:
        UsageError: it is not of that form.
    """
    name, equals, value = text.partition("=")
    step, dot, key = name.strip().partition(".")
    if not (equals and dot and step and key):
        raise UsageError(
            f"--param takes step.key=value, not '{text}'", fix="for example: --param train.depth=5"
        )
    if _is_plain_number(value):
        return Param(step, key, int(value))
    from alo.plan.yaml_nodes.reader import read_value
    from alo.plan.yaml_nodes.tree import YamlError

    try:
        return Param(step, key, read_value(value.encode()))
    except (YamlError, UnicodeEncodeError) as error:
        raise UsageError(
            f"the value in --param {text} is no YAML", fix="put quotes around it"
        ) from error


def _is_plain_number(text: str) -> bool:
    """Whether it is a number in any YAML, so that no reader of YAML is needed: its import takes
    longer than the list."""
    digits = text.removeprefix("-")
    is_short = len(digits) <= MOST_DIGITS
    return is_short and digits.isascii() and digits.isdigit() and (digits[0] != "0" or text == "0")


def parse_since(text: str, now: float | None = None, what: str = "--since") -> str:
    """A date, a time or a span before now as the time it denotes.

    Args:
        text: ``2026-05-01``, ``2026-05-01T09:30``, or ``7d`` (s, m, h, d, w). Without a time zone:
            UTC, as all times of ALO.
        what: where the text was given, for the message.
    Raises:
        UsageError: it is none of these.
    """
    import re
    import time
    from datetime import datetime, timezone

    from alo.history.ids import utc_text

    now = time.time() if now is None else now
    span = re.fullmatch(_RELATIVE, text.strip().lower())
    try:
        if span:
            return utc_text(max(0.0, now - float(span[1]) * _SECONDS[span[2]]))
        moment = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text.strip()))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return utc_text(max(0.0, moment.timestamp()))
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(
            f"{what} takes a date, a time or a span, not '{text}'",
            fix="for example: 2026-05-01, 2026-05-01T09:30 (UTC), 12h or 7d",
        ) from error


def value_text(value: object) -> str:
    """The form in which the values of args are compared: 1 and 1.0 are the same, 1 and "1" not."""
    import json

    from alo.history.record import plain

    return json.dumps(_whole_numbers(plain(value)), sort_keys=True)


def _whole_numbers(value: object) -> object:
    match value:
        case float():
            return int(value) if value.is_integer() else value
        case dict():
            return {key: _whole_numbers(each) for key, each in value.items()}
        case list():
            return [_whole_numbers(each) for each in value]
        case _:
            return value


def condition_of(filters: Filters) -> tuple[str, list[str]]:
    """The filters as a condition on the index's table of runs, and the values in it."""
    parts, values = [], []
    for column, value in (("kind = ?", filters.pipeline), ("status = ?", filters.status)):
        if value:
            parts.append(column)
            values.append(value)
    if filters.since:
        parts.append("start_time >= ?")
        values.append(filters.since)
    for param in filters.params:
        parts.append(HAS_PARAM)
        values += [param.step, param.key, value_text(param.value)]
    if filters.sweep:
        parts.append(OF_SWEEP)
        values.append(filters.sweep)
    if filters.dataset:
        parts.append(OF_DATASET)
        values.append(filters.dataset)
    if filters.model:
        parts.append("train_id = ?")
        values.append(filters.model)
    if filters.request:
        from alo.history.record import REQUEST

        parts.append(OF_REQUEST)
        values.append(f"{REQUEST}{filters.request}")
    return " AND ".join(parts) or "1", values


def matches(record: "RunRecord", filters: Filters) -> bool:
    """Whether a run meets them all."""
    return (
        filters.pipeline in ("", record.pipeline)
        and filters.status in ("", record.status)
        and record.start_time >= filters.since
        and filters.sweep in ("", record.sweep.get("name"))
        and filters.dataset in ("", record.dataset)
        and filters.model in ("", record.train_id)
        and filters.request in ("", record.request)
        and all(_has(record, param) for param in filters.params)
    )


def _has(record: "RunRecord", param: Param) -> bool:
    args = record.args.get(param.step, {})
    return param.key in args and value_text(args[param.key]) == value_text(param.value)
