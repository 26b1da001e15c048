"""Reviews of the studio in front of which the browser is, and what is in them by now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from tests.review.conftest import create_review
from tests.support.waiting import wait_until
from tests.ui.browser.conftest import PASSWORD, OpenBrowser, Project

from alo.database.connection import Database
from alo.database.opening import open_database
from alo.layout import Workspace
from alo.review.deciding import decide
from alo.review.decisions import NewDecision
from alo.review.reviews import Reviews

if TYPE_CHECKING:
    from playwright.sync_api import Page


class Queue:
    """A review, as its database has it."""

    def __init__(self, database: Database, name: str) -> None:
        self.database, self.name = database, name

    @property
    def path(self) -> str:
        return f"/reviews/{self.name}/label"

    def items(self) -> list[dict[str, Any]]:
        """The queue in its order."""
        reviews = Reviews(self.database)
        found = reviews.items(reviews.get(self.name), queue_only=True)
        return [each.to_json() for each in found]

    def said(self) -> list[tuple[str, str | None]]:
        """State and label of each record of the queue."""
        return [(each["state"], each["label"]) for each in self.items()]

    def decisions(self) -> int:
        """How many decisions there are, also those that count no more."""
        number = Reviews(self.database).get(self.name).number
        found = self.database.read("SELECT count(*) FROM decisions WHERE review = ?", (number,))
        return int(found[0][0])

    def open(self, page: Page, query: str = "") -> None:
        """Open the label screen, and wait until it hears keys."""
        page.goto(f"{self.path}{query}")
        page.locator("[data-label-page][data-ready]").wait_for()

    def wait_sent(self, page: Page) -> None:
        """Wait until all is acknowledged."""
        page.locator('[data-unsent="0"]').wait_for()

    def wait_said(self, *expected: tuple[str, str | None]) -> None:
        """Wait until the first records of the queue have come to this."""
        wanted = list(expected)
        assert wait_until(lambda: self.said()[: len(wanted)] == wanted, every_s=0.05), self.said()


SENT = "**/decisions"
NewReview = Callable[..., Queue]


@pytest.fixture
def new_review(project: Project, request: pytest.FixtureRequest) -> Iterator[NewReview]:
    """``new_review(records=10, random=10)``: a review named after the test."""
    database = open_database(Workspace(project.home))
    made: list[str] = []

    def make(**given: Any) -> Queue:
        name = f"r{len(made)}-{abs(hash(request.node.name))}"
        made.append(name)
        create_review(database, name, **{"records": 10, "random": 10, **given})
        return Queue(database, name)

    yield make
    database.close()


def current(page: Page) -> str:
    """The record that keys act on."""
    found = page.locator("article[aria-current]").get_attribute("data-record")
    assert found is not None
    return found


@pytest.fixture
def cut_on_purpose(open_browser: OpenBrowser) -> Iterator[None]:
    """Requests that a test cuts are errors on a console."""
    yield
    for page, watched in open_browser.opened.values():  # type: ignore[attr-defined]
        page.unroute_all(behavior="ignoreErrors")
        watched.problems[:] = [each for each in watched.problems if "net::ERR" not in each]


def sign_in(page: Page, name: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator('main[data-screen="overview"]').wait_for()


def end_sessions(queue: Queue, person: str) -> None:
    with queue.database.transaction() as rows:
        rows.execute("DELETE FROM sessions WHERE person = ?", (person,))


def cut(page: Page, path: str = SENT) -> None:
    page.route(path, lambda route: route.abort())


def mend(page: Page, path: str = SENT) -> None:
    page.unroute(path)
    page.evaluate("dispatchEvent(new Event('online'))")


def wait_unsent(page: Page, count: int) -> None:
    page.locator(f'[data-unsent="{count}"]').wait_for()


def bob_says(queue: Queue, record: str, label: str) -> None:
    item = next(each for each in queue.items() if each["record"] == record)
    sent = NewDecision(
        key=f"b {record}", record=record, verdict="change", label=label, seen=item["seen"]
    )
    (result,) = decide(queue.database, queue.name, [sent], person="bob", time="2026-01-01T00:00Z")
    assert result.state == "saved"


def sign_in_again(page: Page) -> None:
    """Over the page, whose session is over."""
    dialog = page.get_by_role("dialog", name="Sign in")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.locator('[data-action="sign-in"]').click()
    dialog.wait_for(state="hidden")
