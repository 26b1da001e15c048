"""Reviews in Chromium: the list, the form, the table with filters, labels, decisions, by keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from tests.support.korean import english
from tests.support.reviewed_project import make_review
from tests.ui.browser.conftest import NARROW, TOKEN, WIDE, OpenBrowser, Project
from tests.ui.browser.test_screens import FIND_WIDE, OWN, assert_no_faults

from alo.database.connection import Database
from alo.database.opening import open_database
from alo.layout import Workspace
from alo.review.reviews import Reviews
from alo.review.rows import ItemShown

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCREENS = {
    "/reviews": "reviews",
    "/reviews?state=closed": "reviews",
    "/reviews/{name}": "review",
    "/reviews/{name}?source=random&predicted=malignant&q=fine": "review",
    "/reviews/{name}?label=nothing": "review",
    "/reviews/{name}/accuracy": "accuracy",
}


class Table:
    """A review of sixteen patients, as its database has it."""

    def __init__(self, database: Database, project: Project, name: str) -> None:
        make_review(project.home, database, name, random=16)
        self.database, self.name, self.path = database, name, f"/reviews/{name}"

    def items(self) -> list[ItemShown]:
        """The records, the queue first."""
        reviews = Reviews(self.database)
        return reviews.items(reviews.get(self.name))

    def states(self) -> list[str]:
        return [each.state.state for each in self.items()]


@pytest.fixture
def table(project: Project, request: pytest.FixtureRequest) -> Iterator[Table]:
    database = open_database(Workspace(project.home))
    yield Table(database, project, f"p{abs(hash(request.node.name))}")
    database.close()


def go(page: Page, path: str, screen: str) -> None:
    page.goto(path)
    page.locator(f'main[data-screen="{screen}"]').wait_for()


@pytest.mark.parametrize("path", SCREENS)
def test_a_screen_fits_is_legible_and_loads_nothing_else(
    path: str, open_browser: OpenBrowser, table: Table
) -> None:
    for locale in ("ko-KR", "en-US"):
        page = open_browser(locale)
        go(page, path.format(name=table.name), SCREENS[path])
        assert page.locator("html").get_attribute("lang") == locale[:2]
        if locale == "ko-KR":
            assert english(page.content(), OWN) == []
        for details in page.locator("details").all():
            details.evaluate("each => { each.open = true }")
        for size in (NARROW, WIDE):
            page.set_viewport_size(size)
            assert page.evaluate(FIND_WIDE) == []
    assert_no_faults(page)


def test_by_keys_alone_a_review_is_found_and_labels_are_typed(page: Page, table: Table) -> None:
    go(page, "/", "overview")
    page.keyboard.press("g")
    page.keyboard.press("v")
    page.locator('main[data-screen="reviews"]').wait_for()
    page.keyboard.press("j")
    assert page.locator("tr[aria-current]").get_attribute("data-review") == table.name
    page.keyboard.press("Enter")
    page.locator('main[data-screen="review"]').wait_for()

    _, second, third, *_ = table.items()
    for _ in range(2):
        page.keyboard.press("j")
    page.keyboard.press("e")
    page.keyboard.type("benign" if second.record.predicted == "malignant" else "malignant")
    page.keyboard.press("Enter")
    page.locator(f'tr[data-record="{second.id}"][data-state="changed"]').wait_for()
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.locator(f'tr[data-record="{third.id}"][data-state="accepted"]').wait_for()

    page.locator('[data-unsent="0"]').wait_for()
    assert table.states()[:3] == ["undecided", "changed", "accepted"]
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.locator('main[data-screen="label"]').wait_for()


def test_a_selection_by_keys_is_flagged_and_taken_back_as_one(page: Page, table: Table) -> None:
    go(page, table.path, "review")
    for _ in range(3):
        page.keyboard.press("j")
        page.keyboard.press("x")
    page.locator('select[name="verdict"]').select_option("flag")
    page.locator('[data-action="decide-selection"]').press("Enter")
    page.locator('tr[data-state="flagged"]').nth(2).wait_for()
    page.locator('[data-unsent="0"]').wait_for()
    assert table.states()[:4] == ["flagged"] * 3 + ["undecided"]

    page.locator('[data-action="undo"]').press("Enter")
    page.locator('main[data-screen="review"]:not(:has(tr[data-state="flagged"]))').wait_for()
    page.locator('[data-unsent="0"]').wait_for()

    assert set(table.states()) == {"undecided"}


def test_all_that_a_filter_finds_is_labelled(page: Page, table: Table) -> None:
    go(page, table.path, "review")
    page.locator('input[name="q"]').fill("fine")
    page.locator('[data-action="filter"]').click()
    page.locator('[data-action="remove-filter"]').wait_for()
    assert page.locator("[data-total]").get_attribute("data-total") == "4"
    page.locator('select[name="verdict"]').select_option("change")
    page.locator('#decide input[name="label"]').fill("benign")

    page.locator('[data-action="decide-all"]').click()

    page.locator('tr[data-label="benign"]').nth(3).wait_for()
    assert "q=fine" in page.url
    page.locator('[data-action="remove-filter"]').click()
    page.locator("[data-total='16']").wait_for()
    page.go_back()
    page.locator("[data-total='4']").wait_for()


def test_the_accuracy_is_said_in_words_and_drawn(page: Page, table: Table) -> None:
    go(page, table.path, "review")
    assert page.locator('[data-accuracy="unknown"]').count() == 1
    page.locator('select[name="verdict"]').select_option("accept")
    page.locator('[data-action="decide-all"]').click()
    page.locator('[data-accuracy="1.0"]').wait_for()

    page.locator("#accuracy summary", has_text="Numbers").click()

    assert page.locator("#accuracy svg").is_visible()
    assert page.locator('[data-enough="true"]').is_visible()


def test_labels_are_added_and_the_review_is_closed_by_keys(page: Page, table: Table) -> None:
    go(page, table.path, "review")
    page.locator("#labels summary").first.press("Enter")
    page.locator('#labels input[name="name"]').first.fill("unclear")
    page.locator('#labels input[name="key"]').first.fill("u")
    page.keyboard.press("Enter")
    page.locator('#labels tr[data-label="unclear"]').wait_for()

    page.locator('[data-action="close"]').press("Enter")
    page.locator('h1[data-state="closed"]').wait_for()

    assert page.locator('[data-action="decide-all"]').count() == 0
    page.locator('[data-action="reopen"]').press("Enter")
    page.locator('h1[data-state="open"]').wait_for()


def test_a_review_is_made_by_the_form(page: Page, table: Table) -> None:
    go(page, "/reviews", "reviews")
    page.locator("details.chooser > summary").click()
    page.locator("#name").fill(table.name)
    page.locator("#r-key").fill("patient")
    page.locator("#r-probabilities").fill("malignant=probability")
    page.locator('[data-action="make-review"]').click()
    page.locator('[data-field="name"] .wrong', has_text="there is a review").wait_for()

    page.locator("#name").fill(f"{table.name}-b")
    page.locator("#r-prediction").fill("lost")
    run = table.items()[0].id.rpartition(":")[0]
    page.locator("#runs").fill(run)
    page.locator('[data-action="make-review"]').click()
    page.locator('[data-field="review.prediction"] .wrong', has_text="no column").wait_for()
    page.locator("#r-prediction").fill("")
    shown = page.locator(".command code").text_content()
    assert shown == (
        f"alo review new {table.name}-b --random 100 --runs {run} --probability"
        " malignant=probability --key patient"
    )
    page.locator('[data-action="make-review"]').click()

    page.locator('[data-job][data-state="success"]').wait_for()
    page.locator(f'a[data-review="{table.name}-b"]').click()
    page.locator('main[data-screen="review"]').wait_for()


def test_the_table_works_without_scripts(open_browser: OpenBrowser, table: Table) -> None:
    page = open_browser(java_script_enabled=False)
    go(page, f"{table.path}?token={TOKEN}", "review")
    first, second, third, *_ = table.items()
    page.locator(f'[name="label.{first.id}"]').fill("benign")
    page.locator('[data-action="save-cells"]').click()
    page.locator(f'tr[data-record="{first.id}"][data-label="benign"]').wait_for()
    for each in (second, third):
        page.locator(f'input[name="records"][value="{each.id}"]').check()
    page.locator('select[name="verdict"]').select_option("skip")
    page.locator('[data-action="decide-selection"]').click()
    page.locator('tr[data-state="skipped"]').nth(1).wait_for()

    assert table.states()[1:4] == ["skipped", "skipped", "undecided"]
