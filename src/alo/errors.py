"""The tree of errors: each class says which exit status it ends the command line with."""

from collections.abc import Sequence
from typing import TypeVar

from alo.masking import masked
from alo.named_tuples import NamedTuple
from alolib.errors import (
    AloError,
    ArgsError,
    AssetError,
    ContractError,
    MetricError,
    PathError,
    StoppedByAsset,
    SummaryError,
    TrialPruned,
)

__all__ = [
    "AloError",
    "ArgsError",
    "AssetError",
    "CheckError",
    "ContractError",
    "CutError",
    "DatabaseError",
    "DatasetError",
    "ExecutorError",
    "ExportError",
    "HistoryError",
    "InstallError",
    "Interrupted",
    "LabelError",
    "MemoryGrantError",
    "MetadataError",
    "MetricError",
    "OutsideError",
    "PathError",
    "PlanError",
    "Problem",
    "PrunedError",
    "ResultError",
    "RetrainError",
    "ReviewClosedError",
    "ReviewError",
    "RunError",
    "ServeError",
    "SourceError",
    "StagingError",
    "StepError",
    "StoppedByAsset",
    "StoreError",
    "SummaryError",
    "SweepError",
    "TrialPruned",
    "UsageError",
    "WorkspaceBusy",
]

ErrorKind = TypeVar("ErrorKind", bound=AloError)

SHOWN_PROBLEMS = 50  # spec 3: the first 50, and the count of the rest
LONGEST_LINE = 500  # characters of an error in one line


class UsageError(AloError):
    """The command line, or a call of the Python API, asks for something that cannot be."""

    exit_status = 2


class Problem(NamedTuple):
    """One thing wrong with a plan, an asset or a data source.

    ``file``, ``line`` and ``column`` (both from 1) say where; 0: there is no line to name.
    """

    what: str
    file: str = ""
    line: int = 0
    column: int = 0
    key: str = ""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return "  ".join(part for part in (place, self.key, self.what) if part)


class CheckError(AloError):
    """The check before a run found problems; nothing has run and nothing has changed."""

    exit_status = 2

    def __init__(self, problems: Sequence[Problem], *, fix: str = "") -> None:
        self.problems = tuple(problem._replace(what=masked(problem.what)) for problem in problems)
        super().__init__(_problem_list(self.problems), fix=fix)


def _problem_list(problems: Sequence[Problem]) -> str:
    shown = [str(problem) for problem in problems[:SHOWN_PROBLEMS]]
    rest = len(problems) - len(shown)
    return "\n".join([*shown, f"... and {rest} more problems"] if rest else shown)


class PlanError(CheckError):
    """The plan cannot be read, or breaks the rules of its format."""


class MetadataError(CheckError):
    """Solution metadata cannot be read, or does not fit the plan."""


class RunError(AloError):
    """A run failed outside of an asset's own code."""


class StepError(RunError):
    """A step failed; ``user_traceback`` is the asset author's own traceback, without our frames."""

    def __init__(
        self, what: str, *, where: str = "", fix: str = "", step: str = "", user_traceback: str = ""
    ) -> None:
        super().__init__(what, where=where, fix=fix)
        self.step, self.user_traceback = step, user_traceback
        self.in_init = False  # whether the class could not even be made


class MemoryGrantError(StepError):
    """A step used more memory than its ``resources`` in the plan grant it, and was ended."""


class PrunedError(StepError):
    """The pruner of a sweep has ended a trial in this step."""


class OutsideError(RunError):
    """Base of what went wrong with a place outside, whose passwords and tokens are never shown."""

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(masked(what), where=masked(where), fix=masked(fix))


class SourceError(OutsideError):
    """The code of an asset cannot be fetched from its repository, or would replace edited files.

    ``key`` is what of the step's source it is about: ``code``, ``branch`` or ``path``.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "", key: str = "code") -> None:
        super().__init__(what, where=where, fix=fix)
        self.key = key


class InstallError(OutsideError):
    """What a plan requires cannot be installed, or is not what its lock file says."""


class ServeError(RunError):
    """The inference pipeline cannot be served: it cannot be warmed up, or its address not be used.

    ``user_traceback`` is that of an asset that cannot be imported.
    """

    def __init__(
        self, what: str, *, where: str = "", fix: str = "", user_traceback: str = ""
    ) -> None:
        super().__init__(what, where=where, fix=fix)
        self.user_traceback = user_traceback


class StagingError(OutsideError):
    """Input data or a model could not be brought into the workspace."""


class ResultError(RunError):
    """The inference pipeline left no valid summary or output."""


class ExportError(OutsideError):
    """The artifacts could not be written to the external path."""


class DatabaseError(OutsideError):
    """The database of what people made cannot be used now; ``is_full``: for want of disk space."""

    def __init__(self, what: str, *, where: str = "", fix: str = "", is_full: bool = False) -> None:
        super().__init__(what, where=where, fix=fix)
        self.is_full = is_full


class StoreError(RunError):
    """A value could not be kept between two steps, or not be read back."""


class HistoryError(AloError):
    """A history entry is not there, is damaged, or cannot be changed."""


class ReviewError(AloError):
    """The results of runs cannot be reviewed as it was asked."""


class ReviewClosedError(AloError):
    """Nothing more is decided in a review that is closed."""


class LabelError(UsageError):
    """A label of a review cannot be made, or changed, like that."""


class DatasetError(AloError):
    """A data set cannot be made, or cannot be changed like that."""


class RetrainError(AloError):
    """A candidate could not be trained, or there is nothing to compare it with."""


class ExecutorError(AloError):
    """Runs cannot be sent to where they were to go."""


class CutError(UsageError):
    """The input of a batch cannot be cut into shards, or not as it was asked."""


class SweepError(AloError):
    """A sweep cannot be recorded or read, or too many of its trials failed."""


class BatchError(AloError):
    """A sharded inference cannot be recorded or gone on with, or too much of it failed."""


class WorkspaceBusy(AloError):  # noqa: N818
    """Another run has the workspace, and the caller did not want to wait."""


class Interrupted(RunError):  # noqa: N818
    """The run was ended by a signal; the exit status is 128 plus its number."""

    def __init__(
        self, what: str, *, where: str = "", fix: str = "", signal_number: int = 2
    ) -> None:
        super().__init__(what, where=where, fix=fix)
        self.exit_status = 128 + signal_number


def in_one_line(text: str) -> str:
    """What an ``AloError`` says, of whose text only this is on record: without where and fix.

    All its lines, as the second one is often that which says what was wrong: the value that could
    not be converted, the file that is not there.
    """
    what = text.partition("\n  fix: ")[0].partition("\n  where: ")[0]
    line = " ".join(what.split())
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 3]}..."


def passed_on(
    kind: type[ErrorKind], what: str, cause: str, *, where: str = "", fix: str = ""
) -> ErrorKind:
    """An error about another one, of which only the text is on record: all parts in their places.

    Args:
        what: comes before what the cause says.
        cause: the text of an ``AloError``.
        where, fix: come behind those of the cause.
    """
    rest, _, its_fix = cause.partition("\n  fix: ")
    rest, _, its_where = rest.partition("\n  where: ")
    return kind(
        f"{what}{rest}",
        where="; ".join(filter(None, (its_where, where))),
        fix="; ".join(filter(None, (its_fix, fix))),
    )
