"""What the screens of one studio work with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from alo.database.audit import Audit
from alo.database.connection import Database
from alo.history.browse import History
from alo.history.index.kept import KeptIndex
from alo.layout import Workspace
from alo.review.reviews import Reviews
from alo.ui.access.people import People
from alo.ui.access.sign_in import SignIn
from alo.ui.accuracies import Accuracies
from alo.ui.jobs.queue import Jobs
from alo.ui.presence import Presence
from alo.ui.readers.cache import FileCache
from alo.ui.readers.orders import Orders
from alo.ui.readers.pictures import Pictures
from alo.ui.readers.tables import Tables
from alo.ui.settings import Settings

if TYPE_CHECKING:
    from alo.ui.try_out.try_out import TryOut


@dataclass(frozen=True)
class Studio:
    """One project, and what people have made of it."""

    workspace: Workspace
    database: Database
    settings: Settings
    sign_in: SignIn

    @cached_property
    def history(self) -> History:
        """The project's runs."""
        return History(self.workspace)

    @cached_property
    def index(self) -> KeptIndex:
        """The index of the project's runs."""
        return KeptIndex(self.workspace)

    @cached_property
    def people(self) -> People:
        """Who may sign in."""
        return People(self.database)

    @cached_property
    def audit(self) -> Audit:
        """Every change, with who made it."""
        return Audit(self.database)

    @cached_property
    def tables(self) -> Tables:
        """The tables that runs have made."""
        return Tables(FileCache(self.workspace.internal / "studio" / "tables"))

    @cached_property
    def orders(self) -> Orders:
        """The rows of tables, sorted and filtered."""
        return Orders(self.tables)

    @cached_property
    def pictures(self) -> Pictures:
        """The pictures that runs have made."""
        return Pictures(FileCache(self.workspace.internal / "studio" / "pictures"))

    @cached_property
    def jobs(self) -> Jobs:
        """Commands that were started here."""
        return Jobs(self.workspace, self.database, self.settings.database_url)

    @cached_property
    def reviews(self) -> Reviews:
        """What people review."""
        return Reviews(self.database)

    @cached_property
    def accuracies(self) -> Accuracies:
        """How accurate the model is by each of them."""
        return Accuracies(self.database)

    @cached_property
    def presence(self) -> Presence:
        """Who looks at which record of a review."""
        return Presence()

    @cached_property
    def try_out(self) -> TryOut:
        """Who does what somebody tries."""
        from alo.ui.try_out.own_service import OwnService  # long to import, for one page
        from alo.ui.try_out.try_out import TryOut

        return TryOut(self.workspace, OwnService(self.workspace))

    def close(self) -> None:
        """Close what it has open."""
        if "try_out" in self.__dict__:  # it is made by who tries something
            self.try_out.stop()
        self.index.close()
        self.database.close()
