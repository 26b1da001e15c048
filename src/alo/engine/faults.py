"""Errors of the system: raised as the run's, or reported once it is settled how that ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike

from alo.errors import AloError, RunError
from alo.events.log_lines import warning
from alo.events.types import Listener
from alolib.disk import fix_of


@contextmanager
def disk_errors(
    what: str, where: str | PathLike[str] = "", *, fix: str = "see that it may be read and written"
) -> Iterator[None]:
    """Inside, an error of the system is a ``RunError``.

    Args:
        what: cannot be done then.
        where: unless the error itself names a file.
        fix: unless more is known of the error.
    """
    try:
        yield
    except OSError as error:
        raise RunError(
            f"{what}: {error.strerror or error}",
            where=str(error.filename or where),
            fix=fix_of(error, other=fix),
        ) from error


def tried(listener: Listener, what: str, work: Callable[[], object]) -> bool:
    """Do what is not to change how a run ended; a failure is reported. Returns whether it was done.

    Args:
        what: has not been done then.
    """
    try:
        work()
    except (Exception, KeyboardInterrupt) as error:
        listener(warning(f"{what}: {_reason(error)}"))
        return False
    return True


def _reason(error: BaseException) -> str:
    if isinstance(error, AloError):
        return error.what
    if isinstance(error, KeyboardInterrupt):
        return f"interrupted by {error}".removesuffix(" by ")
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror}{where}"
    return f"{type(error).__name__}: {error}"
