"""Open the database of a project: a file in it, or one on a server for a team."""

from __future__ import annotations

from alo.database.connection import Database
from alo.layout import Workspace

FILE = "studio.sqlite"


def has_database(workspace: Workspace, url: str = "") -> bool:
    """Whether there is one; it is not looked for on a server."""
    return bool(url) or (workspace.studio / FILE).is_file()


def open_database(workspace: Workspace, url: str = "") -> Database:
    """The database of what people made in a project.

    Args:
        url: ``postgresql://…``; empty: ``studio/studio.sqlite`` of the project.
    Raises:
        UsageError: it is damaged, of a newer version, or cannot be reached.
    """
    if url:
        from alo.database.postgres import PostgresDatabase

        return PostgresDatabase(url)
    from alo.database.sqlite import SqliteDatabase

    return SqliteDatabase(workspace.studio / FILE)
