"""The label screen by keyboard alone, with the mouse, without scripts, and as two people see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.ui.browser.conftest import NARROW, PASSWORD, WIDE, OpenBrowser
from tests.ui.browser.reviews import NewReview, current, new_review
from tests.ui.browser.test_screens import FIND_WIDE, assert_no_faults

from alo.review.labels import Labels
from alo.review.reviews import Reviews

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

__all__ = ["new_review"]
TYPED = """([key, code, shift]) => document.body.dispatchEvent(new KeyboardEvent("keydown",
    {key, code, shiftKey: shift ?? false, bubbles: true, cancelable: true}))"""
GIVE_A_TINY_PICTURE_AND_MUCH_INPUT = """(card) => {
  const picture = new Image(8, 8);
  picture.src = document.querySelector("link[rel=icon]").href;
  const figure = document.createElement("figure");
  figure.className = "picture";
  figure.append(picture);
  card.querySelector(".given").prepend(figure);
  const rows = Array.from({length: 60}, (_, at) => `<tr><th>column ${at}</th><td>${at}</td></tr>`);
  card.insertAdjacentHTML("beforeend", `<details class="input" open><summary>Input</summary>
    <div class="scroll"><table>${rows.join("")}</table></div></details>`);
}"""


def test_one_key_decides_and_the_next_record_is_there(page: Page, new_review: NewReview) -> None:
    queue = new_review()
    records = [each["record"] for each in queue.items()]
    predicted = [each["predicted"] for each in queue.items()]
    queue.open(page)
    assert current(page) == records[0]

    for key in ("1", "2", "a", "s", "f"):
        page.keyboard.press(key)
    queue.wait_sent(page)

    assert current(page) == records[5]
    found = queue.said()
    for at, label in enumerate(("good", "bad", predicted[2])):
        state = "accepted" if predicted[at] == label else "changed"
        assert found[at] == (state, label)
    assert found[3:5] == [("skipped", None), ("flagged", None)]
    assert queue.decisions() == 5
    assert page.locator("[data-progress-text]").text_content() == "5 of 10 decided"
    assert page.locator("[data-last] li").count() == 5


def test_the_last_decisions_are_in_the_same_words_once_the_page_is_loaded_again(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review()
    queue.open(page)
    for keys in ("1", "a", "s", "f", "z", "Shift+z"):
        page.keyboard.press(keys)
        queue.wait_sent(page)
    page.keyboard.press("n")
    page.keyboard.type("half sure")
    page.keyboard.press("Enter")
    page.keyboard.press("2")
    queue.wait_sent(page)
    last = page.locator("[data-last] li")
    live = last.all_text_contents()

    queue.open(page)

    said = ("half sure", "flagged half sure", "brought again", "taken back", "flagged", "skipped")
    assert len(live) == 8
    assert [each for each, line in zip(said, live, strict=False) if each not in line] == []
    assert last.all_text_contents() == live


def test_a_held_key_and_a_key_that_no_label_has_decide_nothing_more(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review()
    queue.open(page)

    page.keyboard.down("a")
    page.keyboard.down("a")  # as a held key repeats itself
    page.keyboard.up("a")
    page.keyboard.press("7")
    page.keyboard.press("Control+1")
    queue.wait_sent(page)

    assert queue.decisions() == 1


def test_ten_labels_and_more_have_keys_and_ones_own_key_comes_first(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review()

    def twelve(labels: Labels) -> Labels:
        for at in range(3, 12):
            labels = labels.add(f"label {at}")
        return labels.add("label 12", key="q")

    Reviews(queue.database).change_labels(queue.name, twelve)
    queue.open(page)

    for pressed in ("3", "0", "Shift+Digit1", "q", "Shift+Digit2", "Shift+Digit3"):
        page.keyboard.press(pressed)
    queue.wait_sent(page)

    found = [label for _, label in queue.said()]
    assert found[:5] == ["label 3", "label 10", "label 11", "label 12", "label 12"]
    assert queue.decisions() == 5


def test_keys_move_and_enter_goes_to_what_is_undecided(page: Page, new_review: NewReview) -> None:
    queue = new_review()
    records = [each["record"] for each in queue.items()]
    queue.open(page)

    for key, at in (("j", 1), ("ArrowRight", 2), ("ArrowDown", 3), ("k", 2), ("ArrowLeft", 1)):
        page.keyboard.press(key)
        page.locator(f'article[aria-current][data-record="{records[at]}"]').wait_for()
    page.keyboard.press("a")
    page.keyboard.press("k")
    page.locator(f'article[aria-current][data-record="{records[1]}"]').wait_for()
    page.keyboard.press("Enter")
    page.locator(f'article[aria-current][data-record="{records[2]}"]').wait_for()

    page.wait_for_url(f"**record={records[2].replace(':', '%3A')}")
    page.reload()
    assert current(page) == records[2]


def test_a_selection_is_labelled_and_taken_back_as_one(page: Page, new_review: NewReview) -> None:
    queue = new_review()
    before = queue.said()
    queue.open(page)

    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    page.get_by_text("4 selected").wait_for()
    page.keyboard.press("1")
    queue.wait_sent(page)
    assert [label for _, label in queue.said()[:4]] == ["good"] * 4

    page.keyboard.press("z")
    queue.wait_said(*before)
    page.keyboard.press("Shift+Z")
    queue.wait_sent(page)
    page.get_by_text("brought again").first.wait_for()
    assert [label for _, label in queue.said()[:4]] == ["good"] * 4


def test_undo_leads_back_to_the_record_and_the_last_label_is_given_again(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review()
    records = [each["record"] for each in queue.items()]
    queue.open(page)

    page.keyboard.press("2")
    page.keyboard.press(".")
    queue.wait_sent(page)
    assert [label for _, label in queue.said()[:2]] == ["bad", "bad"]
    page.keyboard.press("z")
    page.locator(f'article[aria-current][data-record="{records[1]}"]').wait_for()
    queue.wait_sent(page)
    assert queue.said()[1] == ("undecided", None)
    page.keyboard.press("1")
    queue.wait_sent(page)

    assert queue.said()[1][1] == "good"


def test_a_note_is_typed_and_goes_with_the_decision(page: Page, new_review: NewReview) -> None:
    queue = new_review()
    queue.open(page)

    page.keyboard.press("n")
    page.keyboard.type("12 a <b>s</b>")
    page.keyboard.press("Enter")
    assert queue.decisions() == 0
    page.keyboard.press("1")
    queue.wait_sent(page)
    page.keyboard.press("k")
    page.keyboard.press("n")
    page.keyboard.type(" z")
    page.keyboard.press("Enter")
    queue.wait_sent(page)

    found = queue.items()[0]
    assert (found["label"], found["note"]) == ("good", "12 a <b>s</b> z")
    assert page.locator("article[aria-current] [data-fact=note]").text_content() == found["note"]
    assert page.locator("article b").get_by_text("s", exact=True).count() == 0


def test_with_hangul_on_keys_are_taken_by_their_place(
    open_browser: OpenBrowser, new_review: NewReview
) -> None:
    queue = new_review()
    page = open_browser("ko-KR")
    queue.open(page)

    for key, code, shift in (("ㅁ", "KeyA", False), ("ㄴ", "KeyS", False), ("ㄹ", "KeyF", False)):
        page.evaluate(TYPED, [key, code, shift])
    queue.wait_sent(page)
    assert [state for state, _ in queue.said()[:3]] == ["accepted", "skipped", "flagged"]
    page.evaluate(TYPED, ["ㅋ", "KeyZ", False])
    queue.wait_sent(page)
    page.get_by_text("되돌림").first.wait_for()
    assert queue.said()[2] == ("undecided", None)
    page.evaluate(TYPED, ["ㅋ", "KeyZ", True])
    page.locator("article[aria-current][data-state=flagged]").wait_for()

    assert queue.said()[2] == ("flagged", None)


@pytest.mark.parametrize("view", ["", "?view=grid"])
def test_buttons_decide_on_a_phone(page: Page, new_review: NewReview, view: str) -> None:
    queue = new_review()
    page.set_viewport_size(NARROW)
    queue.open(page, view)

    page.get_by_role("button", name="good").click()
    page.get_by_role("button", name="Accept").click()
    page.get_by_role("button", name="Skip").dblclick()
    queue.wait_sent(page)
    page.get_by_role("button", name="Undo").click()
    queue.wait_sent(page)

    assert [each[0] == "undecided" for each in queue.said()[:4]] == [False, False, False, True]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_labels_stay_in_sight_however_much_there_is_to_see(
    page: Page, new_review: NewReview, size: ViewportSize
) -> None:
    queue = new_review()
    page.set_viewport_size(size)
    queue.open(page)

    page.locator("article[aria-current]").evaluate(GIVE_A_TINY_PICTURE_AND_MUCH_INPUT)

    for name in ("good", "Accept"):
        found = page.get_by_role("button", name=name).bounding_box()
        assert found is not None
        assert found["y"] + found["height"] <= size["height"]


def test_a_number_of_the_input_stays_on_one_line(page: Page, new_review: NewReview) -> None:
    queue = new_review()
    queue.open(page)
    page.locator("article[aria-current]").evaluate(
        """(card) => card.insertAdjacentHTML("beforeend", `<details class="input" open><div
        class="scroll"><table>${"<tr><th>mean_fractal_dimension_in_mm<td class=cell>0.003125"
        .repeat(30)}</table></div></details>`)"""
    )

    number = page.locator("article[aria-current] td.cell", has_text="0.003125").first

    lines = "(cell) => { const it = document.createRange(); it.selectNodeContents(cell); "
    assert number.evaluate(f"{lines} return it.getClientRects().length }}") == 1


def test_a_tiny_picture_is_shown_large_and_keys_make_it_larger(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review()
    queue.open(page)
    page.locator("article[aria-current]").evaluate(GIVE_A_TINY_PICTURE_AND_MUCH_INPUT)

    def height() -> float:
        found = page.locator("article[aria-current] .picture img").bounding_box()
        assert found is not None
        return found["height"]

    as_shown = height()
    page.keyboard.press("+")
    larger = height()
    page.keyboard.press("0")

    assert as_shown >= 0.3 * WIDE["height"]
    assert larger > 1.2 * as_shown
    assert height() == as_shown


def test_the_grid_shows_many_and_a_click_chooses_one(page: Page, new_review: NewReview) -> None:
    queue = new_review()
    records = [each["record"] for each in queue.items()]
    queue.open(page, "?view=grid")
    assert page.locator("article:visible").count() == 10

    page.locator(f'article[data-record="{records[4]}"] .facts').click()
    assert current(page) == records[4]
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("2")
    queue.wait_sent(page)

    assert [label for _, label in queue.said()[3:7]] == [None, "bad", "bad", None]


def test_it_works_without_scripts(open_browser: OpenBrowser, new_review: NewReview) -> None:
    queue = new_review()
    page = open_browser(java_script_enabled=False)
    page.goto(queue.path)

    page.locator("textarea").fill("first\nsecond")
    page.get_by_role("button", name="good").click()
    page.get_by_role("button", name="Accept").click()
    page.get_by_role("link", name="Previous").click()
    page.get_by_role("button", name="Flag").click()
    page.get_by_role("button", name="Undo").click()

    found = queue.items()
    assert (found[0]["label"], found[0]["note"]) == ("good", "first\r\nsecond")
    assert found[1]["state"] == "accepted"
    assert found[2]["state"] == "undecided"


def test_two_people_see_what_the_other_decides_and_where_they_are(
    page: Page, open_browser: OpenBrowser, new_review: NewReview
) -> None:
    queue = new_review()
    record = queue.items()[0]["record"]
    ada = open_browser("en-NZ")
    ada.context.clear_cookies()
    ada.goto("/sign-in")
    ada.get_by_label("Name").fill("ada")
    ada.get_by_label("Password").fill(PASSWORD)
    ada.keyboard.press("Enter")
    ada.locator('main[data-screen="overview"]').wait_for()
    queue.open(page, f"?record={record}")
    queue.open(ada, f"?record={record}")
    page.locator("article[aria-current] [data-fact=present]", has_text="ada").wait_for()

    page.locator("article[aria-current][data-state=undecided]").wait_for()
    ada.keyboard.press("2")
    page.locator("article[aria-current][data-given=bad]").wait_for()
    page.locator("article[aria-current] [data-fact=by]", has_text="ada").wait_for()
    queue.wait_sent(ada)

    page.keyboard.press("1")  # what ada said was seen
    queue.wait_sent(page)
    assert queue.said()[0][1] == "good"


def test_it_fits_is_legible_and_its_keys_are_listed(
    open_browser: OpenBrowser, new_review: NewReview
) -> None:
    queue = new_review()
    for locale in ("ko-KR", "en-US"):
        page = open_browser(locale)
        for query in ("", "?view=grid&state=undecided"):
            queue.open(page, query)
            for size in (NARROW, WIDE):
                page.set_viewport_size(size)
                assert page.evaluate(FIND_WIDE) == []
            assert_no_faults(page)
    page.keyboard.press("?")
    assert page.locator("dialog#keys").get_by_text("accept the prediction").is_visible()
    page.keyboard.press("Escape")


def test_many_labels_with_long_names_leave_room_for_the_record(
    open_browser: OpenBrowser, new_review: NewReview
) -> None:
    queue = new_review()

    def with_more(labels: Labels) -> Labels:
        for at in range(58):
            labels = labels.add(f"{at} {'a long name ' * 15}".strip())
        return labels

    Reviews(queue.database).change_labels(queue.name, with_more)
    for size, options in ((WIDE, {}), (NARROW, {"has_touch": True})):
        page = open_browser("en-GB", **options)
        page.set_viewport_size(size)
        queue.open(page)

        head = page.locator("article[aria-current] h2").bounding_box()
        form = page.locator("[data-decide]").bounding_box()
        assert head is not None
        assert form is not None
        assert head["y"] + head["height"] <= form["y"]
        assert form["height"] < size["height"] * 0.6
        assert page.evaluate(FIND_WIDE) == []
    page.locator("[data-decide] [data-label]").last.click()  # it is scrolled to
    queue.wait_sent(page)
    assert queue.said()[0][1] == f"57 {'a long name ' * 15}".strip()
