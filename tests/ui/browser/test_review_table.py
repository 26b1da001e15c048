"""Deciding in the table of a review: cells by keys, no network, no session, two people, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.waiting import wait_until
from tests.ui.browser.conftest import TOKEN, OpenBrowser
from tests.ui.browser.reviews import (
    NewReview,
    Queue,
    bob_says,
    cut,
    cut_on_purpose,
    end_sessions,
    mend,
    new_review,
    sign_in,
    sign_in_again,
    wait_unsent,
)

from alo.review.reviews import Reviews

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

__all__ = ["cut_on_purpose", "new_review"]
pytestmark = pytest.mark.usefixtures("cut_on_purpose")
BULK = "**/bulk"
STREAM = "**/events?*"


@pytest.fixture
def queue(new_review: NewReview) -> Queue:
    """Ten records of the classes good and bad, all by chance."""
    return new_review()


@pytest.fixture
def ada(open_browser: OpenBrowser) -> Page:
    """A browser in which ada has signed in."""
    page = open_browser("en-NZ")
    page.context.clear_cookies()
    sign_in(page, "ada")
    return page


def open_table(page: Page, queue: Queue, query: str = "") -> None:
    """Open the table, and wait until it hears keys."""
    page.goto(f"/reviews/{queue.name}{query}")
    page.locator("[data-table][data-ready]").wait_for(state="attached")


def row(page: Page, record: str) -> Locator:
    return page.locator(f'tr[data-record="{record}"]')


def wait_state(page: Page, record: str, state: str, label: str = "") -> None:
    page.locator(
        f'tr[data-record="{record}"][data-state="{state}"][data-given="{label}"]'
    ).wait_for()


def records(queue: Queue) -> list[str]:
    return [str(each["record"]) for each in queue.items()]


def decide_on(page: Page, verdict: str, names: list[str], scope: str = "selection") -> None:
    for each in names:
        row(page, each).locator("[name=records]").check()
    page.locator('select[name="verdict"]').select_option(verdict)
    page.locator(f'#decide button[value="{scope}"]').click()


def test_keys_decide_on_the_current_row_at_once_and_none_is_left_to_save(
    page: Page, queue: Queue
) -> None:
    open_table(page, queue)
    assert not page.locator('[data-action="save-cells"]').is_visible()

    for key in ("j", "1", "j", "2", "j", "s", "j", "f", "j", "a", "j", "."):
        page.keyboard.press(key)
    queue.wait_sent(page)

    states = queue.said()
    assert [label for _, label in states[:2]] == ["good", "bad"]
    assert [state for state, _ in states[2:5]] == ["skipped", "flagged", "accepted"]
    assert states[5][1] == "bad"
    for each in queue.items()[:6]:
        wait_state(page, each["record"], each["state"], each["label"] or "")
    page.locator("#facts", has_text="skipped 1").wait_for()


def test_a_label_that_is_typed_is_sent_when_the_cell_is_left(page: Page, queue: Queue) -> None:
    open_table(page, queue)
    first, second, third, *_ = records(queue)
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.keyboard.type("good")
    page.keyboard.press("Enter")
    row(page, second).locator("[data-edit]").fill("bad")
    row(page, third).locator("[data-edit]").fill("neither")
    page.keyboard.press("Enter")
    page.get_by_text("no label is called neither").wait_for()
    row(page, third).locator("[data-edit]").fill("good")
    page.keyboard.press("Escape")
    queue.wait_sent(page)

    assert [label for _, label in queue.said()[:3]] == ["good", "bad", None]
    row(page, first).locator("[data-edit]").fill("")
    page.keyboard.press("Enter")
    wait_state(page, first, "undecided")
    queue.wait_sent(page)
    assert queue.said()[0] == ("undecided", None)


def test_without_a_network_cells_and_selections_are_kept_and_sent_in_their_order(
    page: Page, queue: Queue
) -> None:
    open_table(page, queue)
    first, second, third, *_ = records(queue)
    for path in ("**/decisions", BULK):
        cut(page, path)
    row(page, first).locator('[data-action="skip"]').click()
    decide_on(page, "flag", [first, second, third])
    row(page, third).locator("[data-edit]").fill("good")
    page.keyboard.press("Enter")
    wait_unsent(page, 3)
    page.get_by_text("the studio cannot be reached").wait_for()
    open_table(page, queue)
    wait_unsent(page, 3)
    wait_state(page, second, "flagged")
    wait_state(page, third, *queue_word(queue, third, "good"))
    assert queue.decisions() == 0

    for path in ("**/decisions", BULK):
        mend(page, path)
    queue.wait_sent(page)

    assert [state for state, _ in queue.said()[:2]] == ["flagged", "flagged"]
    assert queue.said()[2][1] == "good"
    assert queue.decisions() == 5
    assert not page.locator("[data-waiting]").is_visible()


def queue_word(queue: Queue, record: str, label: str) -> tuple[str, str]:
    """State and label that a record comes to when it is given a label."""
    item = next(each for each in queue.items() if each["record"] == record)
    return ("accepted" if item["predicted"] == label else "changed"), label


def test_a_session_that_is_over_keeps_a_bulk_until_one_has_signed_in(
    ada: Page, queue: Queue
) -> None:
    open_table(ada, queue)
    end_sessions(queue, "ada")

    decide_on(ada, "skip", records(queue)[:2])
    wait_unsent(ada, 1)
    assert queue.decisions() == 0
    sign_in_again(ada)

    queue.wait_sent(ada)
    assert [state for state, _ in queue.said()[:3]] == ["skipped", "skipped", "undecided"]
    assert queue.items()[0]["by"] == "ada"


def test_all_that_a_filter_finds_is_one_action_that_is_taken_back_and_brought_again(
    page: Page, queue: Queue
) -> None:
    open_table(page, queue, "?predicted=good")
    found = [each["record"] for each in queue.items() if each["predicted"] == "good"]
    decide_on(page, "accept", [], scope="filter")
    queue.wait_sent(page)
    assert [each["record"] for each in queue.items() if each["label"] == "good"] == found

    page.keyboard.press("z")
    for each in found:
        wait_state(page, each, "undecided")
    queue.wait_sent(page)
    assert {state for state, _ in queue.said()} == {"undecided"}
    page.keyboard.press("Shift+Z")
    for each in found:
        wait_state(page, each, "accepted", "good")
    queue.wait_sent(page)

    assert page.url.endswith("?predicted=good")
    assert (
        row(page, found[-1]).or_(row(page, found[0])).and_(page.locator("[aria-current]")).count()
    )


def test_what_another_decides_appears_in_its_row(page: Page, queue: Queue) -> None:
    with page.expect_response(STREAM):
        open_table(page, queue)
    record = records(queue)[1]
    page.keyboard.press("j")

    bob_says(queue, record, "bad")

    page.locator(f'tr[data-record="{record}"][data-given="bad"]').wait_for()
    assert row(page, record).locator('[data-fact="by"]').text_content() == "bob"
    assert row(page, record).locator("[data-edit]").input_value() == "bad"
    page.keyboard.press("j")
    page.keyboard.press("1")  # one has seen it: no conflict
    queue.wait_sent(page)
    assert queue.said()[1][1] == "good"


@pytest.mark.parametrize(("key", "label", "by"), [("1", "bad", "bob"), ("2", "good", "owner")])
def test_a_conflict_of_a_cell_or_a_bulk_shows_both_labels_and_a_key_settles_it(
    page: Page, queue: Queue, key: str, label: str, by: str
) -> None:
    cut(page, STREAM)
    open_table(page, queue)
    first, second, third, *_ = records(queue)
    for each in (first, second):
        bob_says(queue, each, "bad")

    row(page, first).locator("[data-edit]").fill("good")
    page.keyboard.press("Enter")
    page.locator('#decide > fieldset input[name="label"]').fill("good")
    decide_on(page, "change", [second, third])
    page.get_by_role("button", name="2 in conflict or refused").wait_for()
    page.locator("h1").click()
    page.keyboard.press("c")
    for line in page.get_by_role("dialog", name="Conflicts").locator("li").all():
        assert "theirs (bob): bad · yours: good" in (line.text_content() or "")
    page.keyboard.press(key)
    page.get_by_role("button", name="1 in conflict or refused").wait_for(state="attached")
    page.keyboard.press(key)
    page.get_by_role("dialog", name="Conflicts").wait_for(state="hidden")
    queue.wait_sent(page)

    settled = [(each["label"], each["by"]) for each in queue.items()[:3]]
    assert settled == [(label, by), (label, by), ("good", "owner")]


def test_rows_that_a_filter_brings_show_what_is_not_acknowledged(page: Page, queue: Queue) -> None:
    open_table(page, queue)
    cut(page, "**/decisions")
    record = records(queue)[0]
    row(page, record).locator('[data-action="flag"]').click()
    wait_unsent(page, 1)

    page.locator('select[name="source"]').select_option("random")
    page.locator('[data-action="filter"]').click()
    page.locator('[data-action="remove-filter"]').wait_for()

    wait_state(page, record, "flagged")
    wait_unsent(page, 1)
    mend(page)
    queue.wait_sent(page)
    assert queue.said()[0][0] == "flagged"


def test_two_pages_of_two_people_come_to_the_same(page: Page, ada: Page, queue: Queue) -> None:
    for each in (page, ada):
        with each.expect_response(STREAM):
            open_table(each, queue)
    first, second, *_ = records(queue)

    row(page, first).locator('[data-action="skip"]').click()
    row(ada, second).locator('[data-action="flag"]').click()

    for each in (page, ada):
        wait_state(each, first, "skipped")
        wait_state(each, second, "flagged")
        queue.wait_sent(each)


def test_a_label_that_another_adds_can_be_given_at_once(page: Page, queue: Queue) -> None:
    with page.expect_response(STREAM):
        open_table(page, queue)
    record = records(queue)[0]

    Reviews(queue.database).change_labels(queue.name, lambda labels: labels.add("unclear"))
    page.locator('#names option[value="unclear"]').wait_for(state="attached")
    page.keyboard.press("j")
    page.keyboard.press("3")
    queue.wait_sent(page)

    assert queue.items()[0]["record"] == record
    assert queue.said()[0] == ("changed", "unclear")


def test_a_name_that_is_typed_in_a_cell_means_the_label_that_looks_so(
    page: Page, queue: Queue
) -> None:
    typed, of_a_mac = "\uc591", "\u110b\u1163\u11bc"  # both are 양
    Reviews(queue.database).change_labels(queue.name, lambda it: it.rename("bad", of_a_mac))
    open_table(page, queue)
    first = records(queue)[0]

    row(page, first).locator("[data-edit]").fill(typed)
    page.keyboard.press("Enter")
    queue.wait_sent(page)

    assert queue.said()[0][1] == of_a_mac


def test_a_closed_review_and_no_script_leave_the_forms(
    open_browser: OpenBrowser, queue: Queue
) -> None:
    page = open_browser(java_script_enabled=False)
    page.goto(f"/reviews/{queue.name}?token={TOKEN}")
    first, second, *_ = records(queue)
    row(page, first).locator('[data-action="skip"]').click()
    wait_state(page, first, "skipped")
    row(page, second).locator("[data-edit]").fill("bad")
    page.locator('[data-action="save-cells"]').click()
    wait_state(page, second, *queue_word(queue, second, "bad"))
    page.locator('[data-action="undo"]').click()
    wait_state(page, second, "undecided")

    assert wait_until(lambda: queue.said()[:2] == [("skipped", None), ("undecided", None)])


def test_what_is_no_page_of_the_studio_takes_the_place_of_none(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review(records=80, random=80)
    open_table(page, queue)
    page.route("**/reviews/*?*", lambda route: route.fulfill(status=200, body="<h1>Proxy</h1>"))

    page.keyboard.press("]")
    page.get_by_text("The studio did not answer (200); the page is as it was.").wait_for()
    assert page.locator("tr[data-record]").count() == 50

    page.unroute("**/reviews/*?*")
    page.keyboard.press("]")
    page.locator("[data-not-shown]").wait_for(state="detached")
    assert page.locator("tr[data-record]").count() == 30
