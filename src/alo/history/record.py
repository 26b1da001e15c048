"""What is kept of one run: the typed form of ``log/experimental_history.json`` (spec 8).

Here: the fields, and JSON in both directions. Reading takes whatever is there: the file may come
from another version, or have been changed by hand.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

from alo.history.ids import param_id
from alo.masking import masked
from alo.named_tuples import NamedTuple
from alo.plan.values import plan_form

ENDED = ("success", "error", "interrupted")  # what the status of a past run can be
REQUEST = "request "  # begins the first change of a run that has answered one
CHECK = "smoke"  # the request that a new model has to answer before a service uses it
SHADOWED = "in the shadow: the answer was not sent"  # a further change of a run that answered one

LISTED = (  # the fields that a list of runs gives to scripts
    "id",
    "pipeline",
    "status",
    "start_time",
    "end_time",
    "score",
    "result",
    "note",
    "probability",
    "version",
    "data_id",
    "code_id",
    "param_id",
    "train_id",
    "sweep",
    "args",
)


class StepRecord(NamedTuple):
    """How one step went."""

    name: str
    status: str  # success, error or cached
    seconds: float
    cpu_seconds: float
    peak_bytes: int  # of memory, while the step ran; 0 where the system does not report it
    data_keys: tuple[str, ...] = ()  # the data keys it was the first to save


class Attempt(NamedTuple):
    """One try of an executor to have a run done."""

    node: str
    start: str  # UTC
    end: str
    end_reason: str  # success, error, lost, ...


class RunRecord(NamedTuple):
    """One run. Times are UTC, ``YYYY-mm-ddTHH:MM:SS.ffffffZ``; ids are 12 hex digits or empty."""

    id: str  # the entry's folder name without -error
    pipeline: str  # train or inference
    status: str  # success, error, interrupted or running
    start_time: str
    end_time: str = ""
    solution: str = ""  # the plan's name
    version: str = ""  # the plan's version
    data_id: str = ""
    data_id_description: Mapping[str, object] = {}
    code_id: str = ""
    code_id_description: Mapping[str, object] = {}
    param_id: str = ""
    train_id: str = ""  # of an inference: a run, "none" or "load-external-model"
    args: Mapping[str, Mapping[str, object]] = {}  # step -> args as they ran
    # step -> arg -> its form (plan/values), of those for which JSON has another: a date, {0: a}
    arg_forms: Mapping[str, Mapping[str, str]] = {}
    metadata_version: str = ""  # of the solution metadata that it was made with
    part: str = ""  # of a run of some steps only: which
    overrides: tuple[str, ...] = ()  # what --set, --system or a notebook changed, a line each
    result: str = ""
    score: float | None = None
    note: str = ""
    probability: Mapping[str, float] = {}
    reason: str = ""  # why it ended, when it did not succeed
    failed_step: str = ""
    steps: tuple[StepRecord, ...] = ()
    seconds: float = 0.0
    python: str = ""
    packages: Mapping[str, str] = {}
    git: Mapping[str, object] = {}  # commit and dirty, where the project is a git work tree
    sources: Mapping[str, object] = {}  # step → url, branch, path, commit; of those from git
    host: str = ""
    alo_version: str = ""
    dataset: str = ""  # of a train run: the version of a data set that it was trained on, NAME@V
    metrics: Mapping[str, float] = {}  # of save_metric, and score where the summary rounds it
    sweep: Mapping[str, object] = {}  # of a trial: name of the sweep, and number of the trial
    models_dropped: str = ""  # why the models that it made are not in its entry any more
    executor: str = ""  # where it ran, if not in the command that asked for it: local, ray, ...
    node: str = ""
    attempts: tuple[Attempt, ...] = ()  # of a run that went to an executor: the last is this one

    @property
    def request(self) -> str:
        """The id of the request that the run has answered; empty: it was no request."""
        first = self.overrides[0] if self.overrides else ""
        return first.removeprefix(REQUEST) if first.startswith(REQUEST) else ""

    @property
    def is_tryout(self) -> bool:
        """Whether a model was only tried with a request: nobody got this answer, as of a check."""
        return self.request == CHECK or (bool(self.request) and SHADOWED in self.overrides)

    def with_args(self, args: Mapping[str, Mapping[str, object]]) -> "RunRecord":
        """The record of a run with these args, and what JSON would lose of them."""
        forms = {
            step: {
                key: form
                for key, value in values.items()
                if (form := plan_form(value)) != plan_form(plain(value))
            }
            for step, values in args.items()
        }
        lost = {step: each for step, each in forms.items() if each}
        return self._replace(args=args, arg_forms=lost, param_id=param_id(args))

    def to_json(self) -> dict[str, object]:
        """The record as strict JSON can hold it: what JSON has no type for becomes its text.

        Of the args no password in a URL is in it; a rerun takes them from the entry's plan.
        """
        steps = [step._asdict() for step in self.steps]
        attempts = [each._asdict() for each in self.attempts]
        shown = {"args": _shown(self.args), "arg_forms": _shown(self.arg_forms)}
        return cast(
            dict[str, object],
            plain({**self._asdict(), **shown, "steps": steps, "attempts": attempts}),
        )

    def to_list_json(self) -> dict[str, object]:
        """As a list of runs gives it to scripts: ``alo history --json``, and the studio."""
        known = self.to_json()
        return {key: known[key] for key in LISTED}

    @classmethod
    def from_json(cls, content: object) -> "RunRecord":
        """Read a record; what is missing or of a wrong type is as if it had never been recorded."""
        known = content if isinstance(content, Mapping) else {}
        values: dict[str, Any] = {
            name: read(known[name]) for name, read in _READERS.items() if name in known
        }
        required = {name: "" for name in cls._fields if name not in cls._field_defaults}
        return cls(**{**required, **values})


def plain(value: object) -> object:
    """A value as JSON holds it: text keys, lists, finite numbers; anything else as its text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case _:
            return str(value)


def _shown(value: object) -> object:
    """A value of the plan without passwords in the URLs that it holds."""
    match value:
        case str():
            return masked(value)
        case Mapping():
            return {key: _shown(each) for key, each in value.items()}
        case list() | tuple():
            return [_shown(each) for each in value]
        case _:
            return value


def _text(value: object) -> str:
    # A lone surrogate, which JSON can spell, could be neither printed nor indexed.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _number(value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        number = float(cast(float, value)) if is_number else 0.0
    except OverflowError:
        return 0.0
    return number if math.isfinite(number) else 0.0


def _score(value: object) -> float | None:
    return None if value is None or isinstance(value, str) else _number(value)


def _mapping(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, Mapping) else {}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(_text, value)) if isinstance(value, list | tuple) else ()


def _steps(value: object) -> tuple[StepRecord, ...]:
    known = map(_mapping, value) if isinstance(value, list | tuple) else ()
    return tuple(
        StepRecord(
            _text(step.get("name")),
            _text(step.get("status")),
            _number(step.get("seconds")),
            _number(step.get("cpu_seconds")),
            int(_number(step.get("peak_bytes"))),
            _texts(step.get("data_keys")),
        )
        for step in known
    )


def _attempts(value: object) -> tuple[Attempt, ...]:
    known = map(_mapping, value) if isinstance(value, list | tuple) else ()
    return tuple(Attempt(*[_text(each.get(name)) for name in Attempt._fields]) for each in known)


def _each(read: Callable[[object], object]) -> Callable[[object], dict[str, object]]:
    return lambda value: {name: read(each) for name, each in _mapping(value).items()}


_READERS: Mapping[str, Callable[[object], object]] = {
    **dict.fromkeys(RunRecord._fields, _text),
    "data_id_description": _mapping,
    "code_id_description": _mapping,
    "args": _each(_mapping),
    "arg_forms": _each(_each(_text)),
    "overrides": _texts,
    "score": _score,
    "probability": _each(_number),
    "steps": _steps,
    "seconds": _number,
    "packages": _each(_text),
    "git": _mapping,
    "sources": _mapping,
    "metrics": _each(_number),
    "sweep": _mapping,
    "attempts": _attempts,
}
