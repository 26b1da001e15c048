"""What waits in the browser's storage: full, refused, emptied or tampered with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.waiting import wait_until
from tests.ui.browser.conftest import OpenBrowser
from tests.ui.browser.reviews import (
    NewReview,
    current,
    cut,
    cut_on_purpose,
    mend,
    new_review,
    wait_unsent,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["cut_on_purpose", "new_review"]
pytestmark = pytest.mark.usefixtures("cut_on_purpose")

REFUSED = """Object.defineProperty(window, "localStorage",
    {get() { throw new DOMException("refused", "SecurityError") }})"""
FULL = (
    """Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError") }"""
)
TAMPER = """() => {
  const [key] = Object.keys(localStorage).filter((each) => each.includes("/unsent/"));
  const place = key.slice(0, key.lastIndexOf("/") + 1);
  for (const [name, value] of [["0-a", "{"], ["0-b", "null"], ["0-c", "7"], ["0-d", "{}"],
      ["0-e", '{"decision": {"record": 1}}'], ["0-f", '{"undo": "now"}'], ["0-g", "[[]]"]])
    localStorage.setItem(place + name, value);
}"""


@pytest.mark.parametrize("script", [REFUSED, FULL], ids=["refused", "full"])
def test_without_room_to_keep_anything_it_is_said_and_all_is_sent_once_there_is_a_network(
    open_browser: OpenBrowser, new_review: NewReview, script: str
) -> None:
    queue = new_review(random=4)
    page = open_browser("en-IE" if script == FULL else "en-ZA")
    page.add_init_script(script)
    queue.open(page)
    cut(page)
    for key in "121":
        page.keyboard.press(key)
    wait_unsent(page, 3)
    page.get_by_text("this browser cannot keep what is not saved yet").wait_for()
    page.locator('[data-action="theme"]').click()  # what it cannot remember is no fault
    page.locator('[data-action="theme"]').click()
    mend(page)

    queue.wait_sent(page)

    assert [label for _, label in queue.said()[:3]] == ["good", "bad", "good"]


def test_what_others_have_written_there_neither_stops_nor_becomes_a_decision(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review(random=3)
    queue.open(page)
    cut(page)
    page.keyboard.press("1")
    page.keyboard.press("2")
    wait_unsent(page, 2)
    page.evaluate(TAMPER)
    page.unroute_all(behavior="ignoreErrors")

    queue.open(page, "?")  # another look at what is kept

    queue.wait_sent(page)
    queue.wait_said(("changed", "good"), ("changed", "bad"))
    assert queue.decisions() == 2


def test_what_waits_is_kept_again_where_another_tab_empties_the_storage(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review(random=3)
    queue.open(page)
    cut(page)
    page.keyboard.press("1")
    wait_unsent(page, 1)
    other = page.context.new_page()
    other.goto("/audit")
    other.evaluate("localStorage.clear()")
    page.wait_for_function("Object.keys(localStorage).some((each) => each.includes('/unsent/'))")
    other.close()
    page.unroute_all(behavior="ignoreErrors")

    queue.open(page, "?")

    queue.wait_sent(page)
    assert queue.decisions() == 1


def test_a_hundred_actions_are_taken_back_in_a_row_and_brought_again(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review(records=100, random=100)
    queue.open(page)
    for at in range(100):
        page.keyboard.press("1" if at % 3 else "2")
    queue.wait_sent(page)
    before = queue.said()

    for _ in range(100):
        page.keyboard.press("z")  # each waits for the one before
    assert wait_until(lambda: {state for state, _ in queue.said()} == {"undecided"})
    for _ in range(100):
        page.keyboard.press("Shift+Z")

    assert wait_until(lambda: queue.said() == before)
    queue.wait_sent(page)


def test_back_and_forward_lead_through_table_and_label_screen_and_lose_nothing(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review(random=4)
    page.goto(f"/reviews/{queue.name}")
    page.locator('a[data-action="label"]').first.click()
    page.locator("[data-label-page][data-ready]").wait_for()
    cut(page)
    first = current(page)
    page.keyboard.press("1")
    wait_unsent(page, 1)

    page.go_back()
    page.locator(f'tr[data-record="{first}"]').wait_for()
    page.unroute_all(behavior="ignoreErrors")
    page.go_forward()
    page.locator("[data-label-page][data-ready]").wait_for()

    queue.wait_sent(page)
    assert queue.decisions() == 1
    page.keyboard.press("2")
    queue.wait_sent(page)
    assert queue.decisions() == 2
