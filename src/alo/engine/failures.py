"""What a step raised, told to its author: their own traceback, the place, and what may mend it."""

import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

import alolib
from alo.errors import AloError, StepError, StoreError
from alo.masking import masked
from alolib.disk import fix_of, is_full

if TYPE_CHECKING:
    from traceback import TracebackException

OWN_FOLDERS = tuple(
    os.path.join(os.path.dirname(os.path.abspath(path)), "")
    for path in (os.path.dirname(__file__), str(alolib.__file__))
)


LONGEST_TEXT = 2_000  # characters of an exception; its traceback has the rest


class Place(NamedTuple):
    """Where in the project an exception passed."""

    file: str
    line: int
    function: str


def step_error(step: str, error: BaseException, home: Path) -> StepError:
    """The error that ends the run because ``error`` came out of a step.

    Args:
        home: the project's folder; the last frame below it is the place that is named.
    """
    place = _place(error.__traceback__, home)
    where = f"{place.file}:{place.line}, in {place.function}()" if place else ""
    what, fix = _what_and_fix(error)
    traceback = "" if isinstance(error, AloError) else user_traceback(error)
    if isinstance(error, StoreError):
        where = error.where or where
    failed = StepError(
        f"step '{step}' failed: {masked(what)}",
        where=where,
        fix=masked(fix),
        step=step,
        user_traceback=traceback,
    )
    failed.in_init = _is_in_init(error.__traceback__)
    if isinstance(error, AloError) and error.where and error.where != where:
        failed.where = f"{error.where} ({where})" if where else error.where
    return failed


def _is_in_init(traceback: TracebackType | None) -> bool:
    """Whether the engine had called the class, and not yet ``run``."""
    while traceback is not None and _is_own(traceback.tb_frame.f_code.co_filename):
        traceback = traceback.tb_next
    return traceback is not None and traceback.tb_frame.f_code.co_name == "__init__"


def _what_and_fix(error: BaseException) -> tuple[str, str]:
    if isinstance(error, AloError):
        return error.what, error.fix
    if isinstance(error, SystemExit):
        return (
            f"it called exit({error.code!r}): sys.exit, or os._exit",
            "to stop the run, raise an error or call self.asset.save_error(...); "
            "to end the step, return from run()",
        )
    if isinstance(error, ModuleNotFoundError) and error.name:
        from alo.sources.inspection import package_of

        package = package_of(error.name)
        return (
            f"the module '{error.name}' is not installed here",
            f"pip install {package}",
        )
    if isinstance(error, MemoryError):
        return "out of memory", "work on less data at once"
    if isinstance(error, OSError) and is_full(error):
        return f"the disk is full: {error}", fix_of(error)
    text = _text_of(error)
    return (f"{type(error).__name__}: {text}" if text else type(error).__name__), ""


def _text_of(error: BaseException) -> str:
    """Its message, cut where it is endless; empty where even that fails."""
    try:
        text = str(error)
    except Exception:  # of the asset's own class
        return ""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} ..."


def _place(traceback: TracebackType | None, home: Path) -> Place | None:
    root = os.path.join(str(home), "")
    found = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        file = code.co_filename
        if file.startswith(root) and "site-packages" not in file and not _is_own(file):
            name = os.path.relpath(code.co_filename, root)
            found = Place(name, traceback.tb_lineno, code.co_name)
        traceback = traceback.tb_next
    return found


def user_traceback(error: BaseException) -> str:
    """The traceback as Python prints it, without our frames and without passwords."""
    from traceback import TracebackException

    told = TracebackException.from_exception(error)
    _drop_own_frames(told)
    lines = "".join(told.format()).rstrip("\n").split("\n")
    return "\n".join(masked(line) if "://" in line else line for line in lines)


def _drop_own_frames(told: "TracebackException") -> None:
    kept = [frame for frame in told.stack if not _is_own(frame.filename)]
    told.stack[:] = kept
    for other in (told.__cause__, told.__context__):
        if other is not None:
            _drop_own_frames(other)


def _is_own(file: str) -> bool:
    return file.startswith(OWN_FOLDERS) or file.startswith("<frozen importlib")
