"""What one execution of a step receives and gives back, and the rules for it (spec 4).

The engine makes a :class:`Handover` for each step and reads it afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from alolib.advice import COMMAND
from alolib.callers import place_of_caller
from alolib.errors import ContractError
from alolib.messages import LogLine
from alolib.once import LoadedOnce

if TYPE_CHECKING:
    from alolib.pruning import Pruner

Emit = Callable[[LogLine], object]


class Handover:
    """What a step saves, and what it has to know to save it well.

    Args:
        is_first: whether no step came before, so that there is no data to load.
        steps: the names of this pipeline's steps.
        train_steps: the names of the train pipeline's steps.
        emit: where log lines go; None: the console, and the log file if one is known.
        loaded: what ``load_once`` has loaded, where a process serves; None: nothing is kept.
        caller: who runs the asset, for advice: one of those in ``advice.py``.
        pruner: of the sweep that the run is a trial of; None: nothing ends it early.
    """

    __slots__ = (
        "caller",
        "config",
        "config_keys",
        "data",
        "data_keys",
        "emit",
        "is_first",
        "loaded",
        "places",
        "pruner",
        "step",
        "steps",
        "summary",
        "train_steps",
    )

    def __init__(
        self,
        *,
        is_first: bool = False,
        steps: tuple[str, ...] = (),
        train_steps: tuple[str, ...] = (),
        emit: Emit | None = None,
        loaded: LoadedOnce | None = None,
        caller: str = COMMAND,
        pruner: Pruner | None = None,
    ) -> None:
        self.pruner = pruner
        self.loaded, self.caller = loaded, caller
        self.is_first, self.steps, self.train_steps, self.emit = is_first, steps, train_steps, emit
        self.step = ""
        self.data: dict[str, object] | None = None
        self.config: dict[str, object] | None = None
        self.summary: dict[str, object] | None = None
        self.data_keys: frozenset[str] = frozenset()  # that may not disappear
        self.config_keys: frozenset[str] = frozenset()
        self.places: dict[str, str] = {}  # call → where it was made first; "run" → where run is

    def __getstate__(self) -> tuple[None, dict[str, object]]:
        """For the process of a pool, where log lines go to the console and the log file."""
        return None, {name: getattr(self, name) for name in self.__slots__} | {"emit": None}

    def save(self, what: str, value: object) -> None:
        """Take what ``save_data`` or ``save_config`` was called with, as it is at this moment.

        Args:
            what: data or config.
        Raises:
            ContractError: called twice, not with a dict, or keys of earlier steps are missing.
        """
        call, here = f"save_{what}", place_of_caller()
        if call in self.places:
            raise ContractError(
                f"{call} was called twice in step '{self.step}'; the first time at "
                f"{self.places[call]}",
                fix=f"call {call} once, at the end of run()",
            )
        if not isinstance(value, dict):
            raise ContractError(
                f"{call} in step '{self.step}' needs a dict, not {type(value).__name__}",
                fix=f"{call}({{'name': value}})",
            )
        self._refuse_missing(what, value)
        self.places[call] = here
        setattr(self, what, dict(value))

    def refuse_unrun(self, returned: object) -> None:
        """See that ``run()`` has run: a coroutine or a generator has only been made by calling it.

        Raises:
            ContractError: it has not.
        """
        kind = type(returned).__name__
        if kind in ("coroutine", "generator", "async_generator"):
            if kind != "async_generator":
                returned.close()  # type: ignore[attr-defined]
            raise ContractError(
                f"run() of step '{self.step}' made a {kind.replace('_', ' ')} and did nothing else",
                where=self.places.get("run", ""),
                fix="write 'def run(self)', without async and without yield; "
                "it can call asyncio.run(...)",
            )

    def check(self) -> None:
        """See that the step has saved both data and config.

        Raises:
            ContractError: names the call that is missing.
        """
        for what in ("data", "config"):
            if getattr(self, what) is None:
                call = f"save_{what}"
                raise ContractError(
                    f"step '{self.step}' did not call {call}",
                    where=self.places.get("run", ""),
                    fix=f"call self.asset.{call}({{...}}) at the end of run()",
                )

    def _refuse_missing(self, what: str, value: Mapping[object, object]) -> None:
        required: Collection[str] = self.data_keys if what == "data" else self.config_keys
        missing = sorted(str(key) for key in required if key not in value)
        if missing:
            raise ContractError(
                f"step '{self.step}' dropped from {what} what an earlier step had saved: "
                f"{', '.join(missing)}",
                fix="a key may get a new value but not disappear; start from "
                f"self.asset.load_{what}() and keep its keys",
            )
