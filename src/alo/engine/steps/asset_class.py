"""Make a step's asset and have it run; what is wrong with its class is reported with file and line.

Python raises such errors where the class is called, which is here: no frame of the asset's would
say where to look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alo.engine.isolation.settings_of_system import stop_timers
from alo.engine.steps.failures import has_frames_outside
from alo.errors import AloError
from alolib.asset import Asset
from alolib.callers import place_of_class, place_of_run
from alolib.errors import ContractError
from alolib.structure import AssetStructure

INIT = "def __init__(self, asset_structure)"
RUN = "def run(self)"
BASES = Asset.__mro__


def call_asset(load_class: Callable[[], Any], structure: AssetStructure) -> None:
    """Make the asset and call its ``run()``.

    Args:
        load_class: gives its class.
    """
    user_asset = load_class()
    structure.handover.places["run"] = place_of_run(user_asset)
    try:
        run = _run_of(make_asset(user_asset, structure), user_asset)
        try:
            returned = run()
        except Exception as error:
            if _has_place(error):
                raise
            raise _placed("run() cannot be called", error, user_asset, "run", RUN) from error
    finally:
        stop_timers()
    structure.handover.refuse_unrun(returned)


def make_asset(user_asset: Any, structure: AssetStructure) -> Any:
    """The asset.

    Raises:
        ContractError: its class cannot be made one.
    """
    try:
        asset = user_asset(structure)
    except Exception as error:
        if _has_place(error):
            raise
        what = f"{user_asset.__name__} cannot be made"
        raise _placed(what, error, user_asset, "__init__", INIT) from error
    if isinstance(asset, Asset) and vars(asset).keys().isdisjoint(("asset", "_alo")):
        _ = asset.asset  # raises: super().__init__ has not been called
    return asset


def _run_of(asset: Any, user_asset: Any) -> Callable[[], object]:
    """Its ``run``.

    Raises:
        ContractError: it has none that could be called.
    """
    run: Callable[[], object] | None = getattr(asset, "run", None)
    if run is None or not callable(run):
        raise ContractError(
            f"{type(asset).__name__} has no method run"
            + ("" if run is None else f": it is of the type {type(run).__name__}"),
            where=place_of_class(user_asset),
            fix=f"give it one: {RUN}",
        )
    return run


def _has_place(error: Exception) -> bool:
    return isinstance(error, AloError) or has_frames_outside(error.__traceback__)


def _placed(what: str, error: Exception, user_asset: Any, method: str, form: str) -> ContractError:
    """The error that names the class' own method, or else the class."""
    abstract = ", ".join(sorted(getattr(user_asset, "__abstractmethods__", ())))
    is_own = any(method in vars(each) for each in user_asset.__mro__ if each not in BASES)
    return ContractError(
        f"{what}: {error}",
        where=(is_own and place_of_run(user_asset, method)) or place_of_class(user_asset),
        fix=f"define in it: {abstract}" if abstract else f"define it as: {form}",
    )
