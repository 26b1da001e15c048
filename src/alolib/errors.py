"""The base of every error that ALO raises on purpose, and the errors of the asset API."""

from __future__ import annotations

from alolib.callers import place_of_caller


class AloError(Exception):
    """What is wrong, where, and how to mend it.

    Args:
        what: one sentence (or a few lines) that a stranger understands.
        where: file and line, plan key, step or path that it is about.
        fix: what to do about it.
    """

    exit_status = 1

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.fix = what, where, fix

    def __str__(self) -> str:
        extra = [f"  {key}: {value}" for key, value in _labelled(self.where, self.fix) if value]
        return "\n".join([self.what, *extra])

    def __reduce__(self) -> tuple[object, ...]:
        # The default would call the class with the positional `what` alone and lose the rest.
        return (type(self).__new__, (type(self), self.what), self.__dict__)


def _labelled(where: str, fix: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("where", where), ("fix", fix)


class AssetError(AloError):
    """Base of the errors that a call of the asset API raises.

    Args:
        where: by default the asset's file, line and function that made the call.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what, where=where or place_of_caller(), fix=fix)


class ArgsError(AssetError):
    """An arg of a step is missing or cannot be converted."""


class ContractError(AssetError):
    """``save_data``/``save_config``/``load_data`` were not used as the contract asks."""


class PathError(AssetError):
    """A folder was asked for that this pipeline does not have, or that holds nothing."""


class SummaryError(AssetError):
    """``save_summary`` was given a value it cannot keep, or there is no summary to load."""


class MetricError(AssetError):
    """``save_metric`` was given a name or a value it cannot keep."""


class TrialPruned(AssetError):  # noqa: N818
    """A trial of a sweep is hopeless by what ``save_metric`` was given, and ends here."""


class StoppedByAsset(AssetError):  # noqa: N818
    """The asset called ``save_error``."""
