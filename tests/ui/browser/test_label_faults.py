"""What is decided is neither lost nor doubled: no network, no session, two tabs, two people."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tests.support.waiting import wait_until
from tests.ui.browser.conftest import NARROW, PASSWORD, WIDE, OpenBrowser, Project
from tests.ui.browser.reviews import (
    SENT,
    NewReview,
    bob_says,
    current,
    cut,
    cut_on_purpose,
    end_sessions,
    mend,
    new_review,
    sign_in,
    wait_unsent,
)
from tests.ui.browser.test_screens import AXE, FIND_FAULTS, FIND_WIDE

from alo.review.deciding import decide
from alo.review.decisions import NewDecision
from alo.review.reviews import Reviews

if TYPE_CHECKING:
    from playwright.sync_api import APIResponse, Page, Route

__all__ = ["cut_on_purpose", "new_review"]
pytestmark = pytest.mark.usefixtures("cut_on_purpose")


@pytest.fixture
def ada(open_browser: OpenBrowser) -> Page:
    """A browser in which ada has signed in."""
    page = open_browser("en-NZ")
    page.context.clear_cookies()
    sign_in(page, "ada")
    return page


def test_keys_that_wait_for_the_next_records_count_as_not_saved_until_they_are(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review(records=80, random=80)
    queue.open(page)
    page.route("**/label?after=*", lambda route: None)

    for _ in range(60):
        page.keyboard.press("1")
    shown = page.locator("[data-cases] article").count()
    assert shown < 60
    assert wait_until(lambda: queue.decisions() == shown)
    wait_unsent(page, 60 - shown)
    leave = "dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    assert not page.evaluate(leave)  # the browser asks whether to leave

    page.unroute("**/label?after=*")  # which lets those go that were held
    queue.wait_sent(page)
    assert queue.decisions() == 60
    assert page.evaluate(leave)


def test_what_the_studio_counts_before_it_has_answered_is_counted_once(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review()
    queue.open(page)
    held: list[tuple[Route, APIResponse]] = []
    page.route(SENT, lambda route: held.append((route, route.fetch())))

    page.keyboard.press("1")
    wait_until(lambda: page.title() and queue.decisions() == 1)  # which lets the browser work
    bob_says(queue, queue.items()[5]["record"], "bad")
    page.get_by_text("bob", exact=True).first.wait_for(state="attached")
    assert held

    for route, answer in held:
        route.fulfill(response=answer)
    queue.wait_sent(page)
    page.get_by_text("2 of 10 decided", exact=True).wait_for()


def test_without_a_network_it_goes_on_and_all_is_sent_when_it_is_back(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review()
    queue.open(page)
    cut(page)

    for key in ("1", "2", "s"):
        page.keyboard.press(key)
    wait_unsent(page, 3)
    page.get_by_text("the studio cannot be reached").wait_for()
    page.wait_for_url(f"**record={queue.items()[3]['record'].replace(':', '%3A')}")
    page.goto(queue.path)
    wait_unsent(page, 3)
    assert queue.decisions() == 0
    page.locator(f'article[aria-current][data-record="{queue.items()[3]["record"]}"]').wait_for()

    mend(page)
    queue.wait_sent(page)
    assert [label for _, label in queue.said()[:2]] == ["good", "bad"]
    assert queue.decisions() == 3


def test_after_five_minutes_it_is_sent_by_itself(
    open_browser: OpenBrowser, new_review: NewReview
) -> None:
    queue = new_review()
    page = open_browser("en-IE")
    page.clock.install()
    queue.open(page)
    cut(page)
    page.keyboard.press("1")
    wait_unsent(page, 1)
    page.clock.run_for(300_000)
    wait_unsent(page, 1)

    page.unroute(SENT)
    page.clock.run_for(60_000)

    queue.wait_sent(page)
    assert queue.said()[0][1] == "good"


def test_an_answer_that_is_lost_on_its_way_doubles_nothing(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review()
    queue.open(page)

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route(SENT, lose)
    page.keyboard.press("1")
    page.get_by_text("the studio cannot be reached").wait_for()
    mend(page)
    queue.wait_sent(page)
    assert queue.decisions() == 1

    page.route("**/undo", lose)
    page.keyboard.press("2")
    page.keyboard.press("z")
    page.get_by_text("the studio cannot be reached").wait_for()
    mend(page, "**/undo")
    queue.wait_sent(page)

    assert [state for state, _ in queue.said()[1:3]] == ["undecided", "undecided"]
    assert queue.said()[0][1] == "good"
    assert queue.decisions() == 3


def test_two_tabs_send_each_decision_once(page: Page, new_review: NewReview) -> None:
    queue = new_review()
    queue.open(page)
    cut(page)
    page.keyboard.press("1")
    wait_unsent(page, 1)
    other = page.context.new_page()
    cut(other)
    queue.open(other)
    wait_unsent(other, 1)
    second = queue.items()[1]["record"]
    other.locator(f'article[aria-current][data-record="{second}"]').wait_for()
    other.keyboard.press("2")
    wait_unsent(page, 2)

    mend(page)
    mend(other)

    queue.wait_sent(page)
    queue.wait_sent(other)
    other.close()
    assert queue.decisions() == 2
    assert [label for _, label in queue.said()[:2]] == ["good", "bad"]


def test_a_session_that_is_over_is_opened_again_over_the_page(
    ada: Page, new_review: NewReview
) -> None:
    queue = new_review()
    queue.open(ada)
    end_sessions(queue, "ada")
    ada.keyboard.press("n")
    ada.keyboard.type("half a note")
    ada.keyboard.press("Enter")

    ada.keyboard.press("1")
    dialog = ada.get_by_role("dialog", name="Sign in")
    dialog.get_by_label("Password").fill("wrong one here")
    ada.keyboard.press("Enter")
    dialog.get_by_role("alert").wait_for()
    assert queue.decisions() == 0
    dialog.get_by_label("Password").fill(PASSWORD)
    ada.keyboard.press("Enter")

    queue.wait_sent(ada)
    found = queue.items()[0]
    assert (found["label"], found["note"], found["by"]) == ("good", "half a note", "ada")
    assert current(ada) == queue.items()[1]["record"]


def test_what_one_has_decided_is_not_sent_as_another(
    ada: Page, new_review: NewReview, project: Project
) -> None:
    words = ["ui", "users", "add", "eve", "--role", "reviewer", "--password-stdin"]
    project.alo(*words, input=f"{PASSWORD}\n")
    queue = new_review()
    queue.open(ada)
    cut(ada)
    ada.keyboard.press("1")
    wait_unsent(ada, 1)
    other = ada.context.new_page()
    sign_in(other, "eve")  # the same browser: ada's page has eve's session by now

    mend(ada)
    ada.get_by_text("you are eve").wait_for()
    queue.open(other)
    queue.wait_sent(other)
    assert queue.decisions() == 0
    sign_in(other, "ada")
    queue.open(other)
    queue.wait_sent(other)
    other.close()

    assert queue.items()[0]["by"] == "ada"


@pytest.mark.parametrize(("key", "label", "by"), [("1", "bad", "bob"), ("2", "good", "owner")])
def test_a_conflict_shows_both_labels_and_a_key_settles_it(
    page: Page, new_review: NewReview, key: str, label: str, by: str
) -> None:
    queue = new_review()
    record = queue.items()[0]["record"]
    cut(page, "**/events?*")
    queue.open(page)
    bob_says(queue, record, "bad")

    page.keyboard.press("1")
    page.get_by_role("button", name="1 in conflict or refused").wait_for()
    assert queue.items()[0]["label"] == "bad"
    page.reload()
    page.locator("[data-label-page][data-ready]").wait_for()
    page.keyboard.press("c")
    line = page.get_by_role("dialog", name="Conflicts").locator("li")
    assert "theirs (bob): bad · yours: good" in (line.text_content() or "")
    page.keyboard.press(key)
    page.get_by_role("dialog", name="Conflicts").wait_for(state="hidden")
    queue.wait_sent(page)

    assert (queue.items()[0]["label"], queue.items()[0]["by"]) == (label, by)


@pytest.mark.parametrize("is_heard", [True, False])
def test_a_label_that_another_renames_meanwhile_is_given_under_its_new_name(
    page: Page, new_review: NewReview, *, is_heard: bool
) -> None:
    queue = new_review()
    if is_heard:
        with page.expect_response("**/events?*"):
            queue.open(page)
    else:
        cut(page, "**/events?*")
        queue.open(page)
    reviews = Reviews(queue.database)
    reviews.change_labels(queue.name, lambda labels: labels.rename("good", "fine"))
    if is_heard:
        page.get_by_role("button", name="1 fine").wait_for()

    page.keyboard.press("1")
    queue.wait_sent(page)

    assert queue.said()[0][1] == "fine"


def test_a_clock_that_is_wrong_by_a_day_changes_nothing(
    open_browser: OpenBrowser, new_review: NewReview
) -> None:
    queue = new_review()
    page = open_browser("en-ZA")
    page.clock.set_fixed_time((time.time() - 86_400) * 1000)
    queue.open(page)
    cut(page)
    page.keyboard.press("1")
    page.clock.set_fixed_time((time.time() + 86_400) * 1000)
    page.keyboard.press("k")
    page.keyboard.press("2")  # the later one, whatever the clock says
    page.clock.set_fixed_time((time.time() - 86_400) * 1000)
    page.keyboard.press("1")
    wait_unsent(page, 3)

    mend(page)
    queue.wait_sent(page)

    assert [label for _, label in queue.said()[:2]] == ["bad", "good"]
    assert queue.items()[0]["at"][:4] == time.strftime("%Y", time.gmtime())


def test_what_another_has_changed_since_is_not_taken_back_and_it_is_said(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review()
    queue.open(page)
    page.keyboard.press("1")
    queue.wait_sent(page)
    assert wait_until(queue.decisions)
    bob_says(queue, queue.items()[0]["record"], "bad")

    page.keyboard.press("z")

    page.get_by_text("bob has decided on it since").wait_for()
    assert queue.items()[0]["label"] == "bad"


def test_six_hundred_rows_by_keys_are_six_hundred_decisions(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review(records=600, random=600)
    queue.open(page)
    keys = ["1" if at % 3 else "2" for at in range(600)]

    for key in keys:
        page.keyboard.press(key)
    page.get_by_text("Nothing is left to decide here.").wait_for()
    queue.wait_sent(page)

    assert queue.decisions() == 600
    assert [label for _, label in queue.said()] == [
        {"1": "good", "2": "bad"}[each] for each in keys
    ]


def test_a_conflict_of_two_looks_is_settled_by_a_key_and_leaves(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review(random=2, second_look=1.0)
    for who, label in (("ada", "good"), ("bob", "bad")):
        sent = [
            NewDecision(key=each["record"], record=each["record"], verdict="change", label=label)
            for each in queue.items()
        ]
        decide(queue.database, queue.name, sent, person=who, time="2026-01-01T00:00:00Z")
    page.goto(f"/reviews/{queue.name}/conflicts")
    page.locator("article[aria-current]").wait_for()
    for size in (NARROW, WIDE):
        page.set_viewport_size(size)
        assert page.evaluate(FIND_WIDE) == []
    page.evaluate(AXE.read_text())
    assert page.evaluate(FIND_FAULTS, []) == []

    page.keyboard.type("211112222222")  # too fast for a hand: it waits for the last one alone
    page.keyboard.press("j")  # which takes it back
    page.keyboard.press("2")
    page.locator("[data-total='1']").wait_for()
    page.locator("article[aria-current]").wait_for()
    page.keyboard.press("1")

    page.get_by_text("No conflicts.").wait_for()
    assert [label for _, label in queue.said()] == ["good", "bad"]
