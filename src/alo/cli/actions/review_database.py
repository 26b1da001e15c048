"""What the actions of ``alo review`` share: the database that they work with."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from alo.cli.values import named
from alo.cli.withheld import take
from alo.database.connection import Database
from alo.database.opening import open_database
from alo.layout import Workspace
from alo.ui.settings import DATABASE_VARIABLE


def add_database(parser: argparse.ArgumentParser) -> None:
    """Add ``--database-url``."""
    parser.add_argument(
        "--database-url",
        metavar="URL",
        type=named,
        help="postgresql://…, as alo ui has it (default: studio/studio.sqlite of the project); or "
        f"{DATABASE_VARIABLE}, which no process list shows",
    )


@contextmanager
def opened(options: argparse.Namespace) -> Iterator[Database]:
    """The database that the options name."""
    given = take(DATABASE_VARIABLE)
    database = open_database(Workspace(options.project), options.database_url or given)
    try:
        yield database
    finally:
        database.close()
