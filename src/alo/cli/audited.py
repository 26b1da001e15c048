"""What people do by commands is in the audit of the studio, where the project has one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from alo.cli.withheld import take
from alo.database.audit import NOTHING, Audit, Note
from alo.database.opening import has_database, open_database
from alo.layout import Workspace
from alo.ui.settings import DATABASE_VARIABLE


@contextmanager
def audited(workspace: Workspace) -> Iterator[Note]:
    """Open the audit before anything is changed: what cannot be recorded is not done.

    Raises:
        UsageError: the studio's database cannot be used.
    """
    url = take(DATABASE_VARIABLE)
    if not has_database(workspace, url):
        yield _nowhere
        return
    database = open_database(workspace, url)
    try:
        yield Audit(database).add
    finally:
        database.close()


def _nowhere(
    by: str,
    act: str,
    target: str,
    before: Mapping[str, object] = NOTHING,
    after: Mapping[str, object] = NOTHING,
) -> None:
    """The project has no studio."""
