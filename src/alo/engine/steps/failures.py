"""What a step raised, for its author: their own traceback, the place, and what may mend it."""

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import alo
import alolib
from alo.errors import AloError, PrunedError, StepError, StoreError, TrialPruned
from alo.masking import masked
from alo.named_tuples import NamedTuple
from alolib.disk import fix_of, fix_of_full, is_full

if TYPE_CHECKING:
    from traceback import TracebackException

OWN_FOLDERS = tuple(
    os.path.join(os.path.dirname(os.path.abspath(str(package.__file__))), "")
    for package in (alo, alolib)
)
LONGEST_TEXT = 2_000  # characters of an exception; its traceback has more
LONGEST_PIECE, MOST_LINES = 20_000, 1_000  # of a traceback


class Place(NamedTuple):
    """Where in the project something went wrong."""

    file: str
    line: int
    function: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" + (f", in {self.function}()" if self.function else "")


def step_error(step: str, error: BaseException, *roots: Path) -> StepError:
    """The error that ends the run because ``error`` came out of a step.

    Args:
        step: its name; empty: of a whole pipeline.
        roots: the folder that has the step's ``assets/``, and the project's; the last frame below
            one of them is the place that is named.
    """
    what, fix = _what_and_fix(error, step)
    if not fix and roots and not isinstance(error, AloError):
        fix = fix_of_full(roots[-1])  # not every library says what it is that it lacks
    kind = PrunedError if isinstance(error, TrialPruned) else StepError
    failed = kind(
        f"step '{step}' failed: {masked(what)}" if step else masked(what),
        where=_where(error, roots),
        fix=masked(fix),
        step=step,
        user_traceback="" if isinstance(error, AloError) else user_traceback(error),
    )
    failed.in_init = _is_in_init(error.__traceback__)
    return failed


def _where(error: BaseException, roots: Sequence[Path]) -> str:
    place = _place(error, roots)
    here = str(place) if place else ""
    named = error.where if isinstance(error, AloError) else ""
    if isinstance(error, StoreError):
        return named or here
    return f"{named} ({here})" if named and here and named != here else named or here


def _is_in_init(traceback: TracebackType | None) -> bool:
    """Whether the asset was being made, and its ``run`` not yet called."""
    while traceback is not None and _is_own(traceback.tb_frame.f_code.co_filename):
        if traceback.tb_frame.f_code.co_name == "make_asset":
            return True
        traceback = traceback.tb_next
    return False


def has_frames_outside(traceback: TracebackType | None) -> bool:
    """Whether an exception has passed code that is not ours."""
    while traceback is not None:
        if not _is_own(traceback.tb_frame.f_code.co_filename):
            return True
        traceback = traceback.tb_next
    return False


def _what_and_fix(error: BaseException, step: str) -> tuple[str, str]:
    if isinstance(error, AloError):
        return error.what, error.fix
    if isinstance(error, SystemExit):
        return (
            f"it called exit({error.code!r}): sys.exit, or os._exit",
            "to stop the run, raise an error or call self.asset.save_error(...); "
            "to end the step, return from run()",
        )
    if isinstance(error, ModuleNotFoundError) and error.name:
        from alo.sources.code.of_module import advice_for, unknown_part

        if what := unknown_part(error.name):
            return what, ""
        return f"the module '{error.name}' is not installed here", advice_for(error.name, step)
    if isinstance(error, MemoryError):
        return "out of memory", "work on less data at once"
    if isinstance(error, OSError) and is_full(error):
        return f"the disk is full: {error}", fix_of(error)
    return name_and_text(error), ""


def name_and_text(error: BaseException) -> str:
    """``ValueError: no such column``; the name alone where the error cannot even say that."""
    try:
        text = _shortened(str(error), LONGEST_TEXT)
    except BaseException:  # of the asset's own class, which may do anything
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]} ... ({len(text):,} characters)"


def _place(error: BaseException, roots: Sequence[Path]) -> Place | None:
    if isinstance(error, SyntaxError) and error.filename:  # of a module that it imports
        name = name_in_project(error.filename, roots)
        if name:
            return Place(name, error.lineno or 1)
    found, traceback = None, error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if name := name_in_project(code.co_filename, roots):
            found = Place(name, traceback.tb_lineno, code.co_name)
        traceback = traceback.tb_next
    return found


def name_in_project(file: str, roots: Sequence[Path]) -> str:
    """A file's name as the project has it; empty where it is not one of the project's own."""
    if "site-packages" in file or _is_own(file):
        return ""
    for root in roots:
        start = os.path.join(str(root), "")
        if file.startswith(start):
            return file.removeprefix(start)
    return ""


def user_traceback(error: BaseException) -> str:
    """The traceback as Python prints it, without our frames and without passwords."""
    from traceback import TracebackException

    report = TracebackException.from_exception(error)
    _drop_own_frames(report)
    # The text of an exception is one piece, and may hold a whole table.
    text = "".join(
        _shortened(piece.rstrip("\n"), LONGEST_PIECE) + "\n" for piece in report.format()
    )
    lines = text.rstrip("\n").split("\n")
    if len(lines) > MOST_LINES:
        half = MOST_LINES // 2
        lines[half:-half] = [f"... ({len(lines) - 2 * half:,} lines)"]
    return "\n".join(masked(line) if "://" in line else line for line in lines)


def _drop_own_frames(report: "TracebackException") -> None:
    kept = [frame for frame in report.stack if not _is_own(frame.filename)]
    report.stack[:] = kept
    group = getattr(report, "exceptions", None) or ()  # since Python 3.11
    for other in (report.__cause__, report.__context__, *group):
        if other is not None:
            _drop_own_frames(other)


def _is_own(file: str) -> bool:
    return file.startswith((*OWN_FOLDERS, "<frozen importlib"))
