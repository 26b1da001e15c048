"""An event and its place in its run: what is stored, printed by ``--json`` and streamed.

The form is a contract: ``docs/reference/events.md`` and ``events.schema.json``.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from json import JSONEncoder
from json.encoder import encode_basestring
from time import gmtime, strftime
from types import NoneType
from typing import Any, get_args, get_origin

from alo.events.types import (
    BatchFinished,
    CommandFailed,
    Event,
    LeftOut,
    Listener,
    LogLine,
    Output,
    Progress,
    RunFinished,
    RunStarted,
    SettingUp,
    ShardFinished,
    ShardStarted,
    StepFinished,
    StepStarted,
    SweepFinished,
    TrialFinished,
    TrialStarted,
)
from alo.named_tuples import NamedTuple

NAMES: Mapping[type, str] = {
    SettingUp: "setting_up",
    RunStarted: "run_started",
    StepStarted: "step_started",
    StepFinished: "step_finished",
    LogLine: "log",
    Output: "output",
    Progress: "progress",
    RunFinished: "run_finished",
    LeftOut: "left_out",
    CommandFailed: "error",
    TrialStarted: "trial_started",
    TrialFinished: "trial_finished",
    SweepFinished: "sweep_finished",
    ShardStarted: "shard_started",
    ShardFinished: "shard_finished",
    BatchFinished: "batch_finished",
}
_KINDS: Mapping[str, Any] = {name: kind for kind, name in NAMES.items()}


class Envelope(NamedTuple):
    """An event of a run; outside of runs ``run_id`` and ``pipeline`` are empty."""

    run_id: str
    pipeline: str  # train or inference
    sequence: int  # in the run: from 0, without gaps
    moment: float  # seconds since 1970
    event: Event

    def to_json(self) -> bytes:
        """One line of JSON in UTF-8, with its end; a lone surrogate is the escape JSON has."""
        kind = type(self.event)
        payload = _PAYLOADS[kind] % tuple([_JSON[type(each)](each) for each in self.event])
        text = (
            f"{_head(self.run_id, self.pipeline)}{self.sequence}, "
            f'"time": "{time_text(self.moment)}", {payload}'
        )
        return text.encode("utf-8", "backslashreplace")


EnvelopeListener = Callable[[Envelope], None]


def envelope_listener(listener: Listener) -> EnvelopeListener:
    """How a listener receives a run's events: those with a method ``of_run`` in envelopes."""
    of_run: EnvelopeListener | None = getattr(listener, "of_run", None)
    return of_run or (lambda envelope: listener(envelope.event))


def time_text(moment: float) -> str:
    """Seconds since 1970 as ``YYYY-mm-ddTHH:MM:SS.ffffffZ``."""
    global _last
    seconds, micro = divmod(round(moment * 1_000_000), 1_000_000)
    known, text = _last
    if seconds != known:
        text = strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds))
        _last = seconds, text
    return f"{text}.{micro:06}Z"


def event_of(name: object, payload: object) -> Event | None:
    """The event that a stored name and payload stand for; None: it is none that we know."""
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None or not isinstance(payload, Mapping):
        return None
    known = {**kind._field_defaults, **payload}
    if not known.keys() >= set(kind._fields):
        return None
    values = [known[field] for field in kind._fields]
    values = [tuple(each) if isinstance(each, list) else each for each in values]
    if not all(map(_fits, values, kind.__annotations__.values())):
        return None
    event: Event = kind._make(values)
    return event


def _fits(value: object, kind: Any) -> bool:
    """Whether a value of JSON is of the type that an event's field has."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is tuple:
        return type(value) is tuple and all(_fits(each, parts[0]) for each in value)
    if origin is Mapping:
        return isinstance(value, Mapping)
    if parts:
        return any(_fits(value, part) for part in parts)
    return type(value) in (int, float) if kind is float else type(value) is kind


@lru_cache(maxsize=2)
def _head(run_id: str, pipeline: str) -> str:
    """What all lines of a run begin with."""
    return f'{{"run_id": {_text_json(run_id)}, "pipeline": "{pipeline}", "sequence": '


class _Encoders(dict[type, Callable[[Any], str]]):
    def __missing__(self, kind: type) -> Callable[[Any], str]:
        return _any_json


_text_json: Callable[[str], str] = encode_basestring
_any_json = JSONEncoder(ensure_ascii=False, default=str).encode
# An encoder that is called for each value would take half of the time that an event may cost.
_JSON: dict[type, Callable[[Any], str]] = _Encoders(
    {
        str: _text_json,
        int: int.__repr__,
        float: float.__repr__,
        bool: lambda value: "true" if value else "false",
        NoneType: lambda value: "null",
        tuple: lambda values: f"[{', '.join(_JSON[type(each)](each) for each in values)}]",
    }
)
_PAYLOADS = {
    kind: f'"event": "{name}", "payload": {{'
    + ", ".join(f'"{field}": %s' for field in kind._fields)
    + "}}\n"
    for name, kind in _KINDS.items()
}
_last = (-1, "")  # the second that was written last, as many events share one
