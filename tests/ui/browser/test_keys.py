"""The studio by keyboard alone, also while Hangul is typed, and its lists without a new page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.ui.browser.conftest import PASSWORD, OpenBrowser, Project
from tests.ui.browser.reviews import NewReview, bob_says, current, new_review

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

__all__ = ["new_review"]
SCAN = """async (text) => {
    await new Promise((done) => setTimeout(done, 40));  // a hand and a scanner type not at once
    for (const key of [...text, "Enter"]) {
        const code = /[0-9]/.test(key) ? `Digit${key}` : "";
        document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", {key, code, bubbles: true, cancelable: true}));
    }
}"""
HANGUL = """([key, code]) => (document.activeElement ?? document.body).dispatchEvent(
    new KeyboardEvent("keydown", {key, code, bubbles: true, cancelable: true}))"""


def on_screen(page: Page, name: str) -> None:
    """Wait until the page is this screen, and hears keys."""
    page.locator(f'main[data-screen="{name}"]').wait_for()
    page.wait_for_load_state()


def move_to(page: Page, selector: str) -> None:
    """Move to an element as who has no mouse does."""
    matches = f"document.activeElement.matches({json.dumps(selector)})"
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate(matches):
            return
    raise AssertionError(f"no Tab leads to {selector}")


def enter(page: Page, selector: str) -> None:
    """Press Enter on an element."""
    move_to(page, selector)
    page.keyboard.press("Enter")


def test_every_screen_is_reached_and_left_by_keyboard_alone(
    open_browser: OpenBrowser, project: Project
) -> None:
    page = open_browser("en-CA")
    page.goto("/")
    for keys, screen in (("gr", "runs"), ("gf", "feed"), ("j\n", "run")):
        page.keyboard.type(keys)
        on_screen(page, screen)
    assert page.url.endswith(project.runs["inference"])
    for part in ("steps", "log", "plan", "code", "files"):
        enter(page, f'.sections a[href$="/{part}"]')
        on_screen(page, f"run_{part}")
    for file, screen in (("output.csv", "table"), ("pixel.png", "image")):
        enter(page, '.sections a[href$="/files"]')
        on_screen(page, "run_files")
        enter(page, 'a[href*="folder=output"]')
        page.wait_for_url("**folder=output")
        enter(page, f'a[href$="/{file}"]')
        on_screen(page, screen)
    page.wait_for_load_state()
    enter(page, "[data-zoom]")
    page.locator(".zoomed").wait_for()
    enter(page, '.sections a[href$="/again"]')
    on_screen(page, "run_again")
    page.keyboard.type("gm")
    on_screen(page, "models")
    enter(page, 'nav a[href="/try"]')
    on_screen(page, "try")
    for name in ("users", "audit"):
        enter(page, f'footer a[href="/{name}"]')
        on_screen(page, name)
    page.keyboard.type("gj")
    on_screen(page, "jobs")
    enter(page, '[data-action="theme"]')
    assert page.locator("html").get_attribute("data-theme") == "dark"
    enter(page, '[data-action="language"]')
    page.locator('html[lang="ko"]').wait_for()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    enter(page, '[data-action="sign-out"]')
    on_screen(page, "sign_in")
    for field, text in (("name", "ada"), ("password", PASSWORD)):
        move_to(page, f'[name="{field}"]')
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    on_screen(page, "overview")


@pytest.mark.parametrize(
    ("letter", "screen"),
    [("o", "overview"), ("r", "runs"), ("f", "feed"), ("m", "models"), ("j", "jobs")],
)
def test_g_and_a_letter_go_to_a_screen(letter: str, screen: str, page: Page) -> None:
    page.goto("/audit")

    page.keyboard.press("g")
    page.keyboard.press(letter)

    on_screen(page, screen)


def test_keys_are_taken_by_their_place_where_hangul_is_typed(open_browser: OpenBrowser) -> None:
    page = open_browser("ko-KR")
    page.goto("/audit")

    page.evaluate(HANGUL, ["ㅎ", "KeyG"])
    page.evaluate(HANGUL, ["ㄱ", "KeyR"])
    on_screen(page, "runs")
    page.evaluate(HANGUL, ["ㅓ", "KeyJ"])
    page.evaluate(HANGUL, ["ㅌ", "KeyX"])

    assert page.locator("tr[aria-current] input:checked").count() == 1


def test_rows_are_selected_compared_and_opened(page: Page, project: Project) -> None:
    page.goto("/runs?pipeline=train&status=success")
    for key in ("j", "x", "j", "x", "c"):
        page.keyboard.press(key)
    on_screen(page, "compare")
    assert page.locator('tr[data-key="train.x"] td').all_text_contents() == ["7", "5"]

    page.goto("/runs?pipeline=train&status=success")
    for key in ("j", "j", "k", "Enter"):
        page.keyboard.press(key)
    on_screen(page, "run")
    assert page.url.endswith(project.runs["second"])

    page.keyboard.press("Escape")
    on_screen(page, "runs")


def test_a_long_note_takes_one_line_until_it_is_focused(page: Page, project: Project) -> None:
    page.goto("/runs?pipeline=train&status=success")
    note = page.locator(f'tr[data-run="{project.runs["first"]}"] .cell').last
    other = page.locator(f'tr[data-run="{project.runs["second"]}"] .cell').last

    def height(cell: Locator) -> float:
        box = cell.bounding_box()
        assert box is not None
        return box["height"]

    line = height(note)
    assert line == height(other) < 45
    assert (note.get_attribute("title") or "").startswith("a note that is longer")
    move_to(page, f'tr[data-run="{project.runs["first"]}"] .cell[tabindex]')
    assert height(note) > line * 1.5
    assert height(other) == line


def test_what_is_selected_is_in_the_url(page: Page, project: Project) -> None:
    page.goto("/runs?pipeline=train")
    for key in ("j", "x", "j", "x", "x", "j", "x"):
        page.keyboard.press(key)
    chosen = page.locator("#compare [name=run]:checked")
    ids = [each.get_attribute("value") for each in chosen.all()]
    assert len(ids) == 2

    page.goto(page.url)  # as pasted

    assert [each.get_attribute("value") for each in chosen.all()] == ids
    page.keyboard.press("c")
    on_screen(page, "compare")
    page.go_back()
    on_screen(page, "runs")
    assert [each.get_attribute("value") for each in chosen.all()] == ids


def test_runs_are_selected_on_several_pages(page: Page, project: Project) -> None:
    page.goto("/runs?limit=1&sort=start_time")
    chosen = page.locator("#compare [name=run]:checked")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("]")
    page.locator(f'tr[data-run="{project.runs["inference"]}"]').wait_for()
    assert chosen.count() == 0  # what was ticked in the row before is not in this one
    page.keyboard.press("]")
    page.locator(f'tr[data-run="{project.runs["second"]}"]').wait_for()
    page.locator("#compare input[type=checkbox]").check()
    assert page.locator("[data-selected]").inner_text().startswith("2 selected")

    page.locator('[data-action="sort"]').first.click()  # which shows another run first
    page.wait_for_url("**sort=-pipeline**")
    page.locator('[name="q"]').fill("a")
    page.locator('[data-action="filter"]').click()
    page.wait_for_url("**q=a**")
    assert page.locator("[data-selected]").get_attribute("data-selected") == "2"
    page.locator('[data-action="compare"]').click()
    on_screen(page, "compare")
    ids = [each.get_attribute("data-run") for each in page.locator(".chosen li").all()]
    assert set(ids) == {project.runs["first"], project.runs["second"]}

    page.go_back()
    page.locator('[data-action="clear-selection"]').click()
    page.wait_for_url(lambda url: "run=" not in url)
    assert page.url.endswith("/runs?q=a&sort=-pipeline&limit=1")
    assert not page.locator("[data-selected]").is_visible()


def test_a_search_is_typed_and_keys_in_it_are_letters(page: Page) -> None:
    page.goto("/runs")
    page.keyboard.press("/")
    page.keyboard.type("gogrjx")
    assert page.locator('input[type="search"]').input_value() == "gogrjx"

    page.keyboard.press("Enter")

    page.locator(".empty").wait_for()
    assert "q=gogrjx" in page.url
    page.keyboard.press("Escape")


def test_the_keys_are_listed(page: Page) -> None:
    page.goto("/runs")
    page.keyboard.press("?")
    assert page.locator("dialog#keys").is_visible()

    page.keyboard.press("Escape")

    assert not page.locator("dialog#keys").is_visible()


def test_pages_are_turned_in_place_and_back_leads_back(page: Page, project: Project) -> None:
    page.goto("/runs?limit=1&sort=-start_time")
    page.evaluate("window.same = true")
    first = page.locator(f'tr[data-run="{project.runs["failed"]}"]')
    second = page.locator(f'tr[data-run="{project.runs["second"]}"]')
    first.wait_for()

    page.keyboard.press("]")
    second.wait_for()
    assert "page=" in page.url
    page.go_back()
    first.wait_for()
    assert "page=" not in page.url
    page.go_forward()
    second.wait_for()
    page.keyboard.press("[")
    first.wait_for()

    assert page.evaluate("window.same") is True


def test_lists_are_sorted_and_filtered_and_their_columns_chosen_in_place(page: Page) -> None:
    page.goto("/runs")
    page.evaluate("window.same = true")

    page.locator("select[name=pipeline]").select_option("train")
    page.locator('[data-action="filter"]').click()
    page.locator('[data-action="remove-filter"]').wait_for()
    page.get_by_role("link", name="score", exact=True).click()
    page.locator('th[aria-sort="descending"]', has_text="score").wait_for()
    page.get_by_text("Columns and order").click()
    page.get_by_role("checkbox", name="args.train.x").check()
    page.locator('[data-action="choose-columns"]').click()
    page.locator("th", has_text="args.train.x").wait_for()
    page.locator('[data-action="remove-filter"]').click()
    page.locator('[data-action="remove-filter"]').wait_for(state="detached")

    assert "args.train.x" in page.url
    assert "pipeline=train" not in page.url
    assert page.evaluate("window.same") is True


def test_the_first_visit_and_the_next_page_are_light(open_browser: OpenBrowser) -> None:
    page = open_browser("en-GB")
    page.goto("/audit")
    # Without the look for newer runs, which comes every few seconds.
    cost = """() => [...performance.getEntriesByType("navigation"),
        ...performance.getEntriesByType("resource")]
        .filter(each => !each.name.includes("/runs.json")).map(each => each.transferSize)"""
    session = page.context.new_cdp_session(page)
    session.send("Network.clearBrowserCache")

    page.goto("/runs?limit=1")
    page.wait_for_load_state("networkidle")
    first = page.evaluate(cost)
    page.keyboard.press("]")
    page.wait_for_url("**page=**")
    page.wait_for_load_state("networkidle")
    # What the browser has already is an entry without a transfer.
    following = [size for size in page.evaluate(cost)[len(first) :] if size]

    assert len(first) <= 8
    assert sum(first) <= 100_000
    assert len(following) == 1
    assert sum(following) <= 20_000


def test_lists_work_without_scripts(open_browser: OpenBrowser, project: Project) -> None:
    page = open_browser(java_script_enabled=False)
    page.goto("/runs?limit=1&sort=-start_time")

    page.locator('[data-action="next-page"]').click()
    page.locator('[data-action="open"]').click()

    assert page.url.endswith(project.runs["second"])
    assert page.locator("ol.steps li").count() == 2


def test_widths_of_columns_are_changed_by_mouse_and_by_keyboard_and_kept(
    page: Page, project: Project
) -> None:
    path = f"/runs/{project.runs['inference']}/files/output/output.csv"
    page.goto(path)
    heading = page.locator('th[data-column="name"]')
    handle = page.get_by_role("separator", name="Width of name")
    width = "() => document.querySelector('th[data-column=name]').offsetWidth"
    before = page.evaluate(width)
    box = handle.bounding_box()
    assert box is not None

    page.mouse.move(box["x"] + 4, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 4 - 200, box["y"] + 5)
    page.mouse.up()
    dragged = page.evaluate(width)
    handle.focus()
    page.keyboard.press("ArrowRight")
    typed = page.evaluate(width)
    page.goto(path)
    page.keyboard.press("]")
    page.wait_for_url("**page=**")

    assert dragged == before - 200
    assert typed == dragged + 16
    assert page.evaluate(width) == typed
    assert handle.get_attribute("aria-valuenow") == str(typed)
    handle.focus()
    page.keyboard.press("Home")
    assert page.evaluate(width) == before
    assert heading.get_attribute("style") in ("", None)


def test_what_a_scanner_types_decides_nothing_and_a_hand_goes_on(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review()
    second = queue.items()[1]["record"]
    queue.open(page)
    page.keyboard.press("s")
    queue.wait_said(("skipped", None))

    page.evaluate(SCAN, "12a1s2f11")
    page.get_by_text("faster than a hand types").wait_for()
    queue.wait_sent(page)
    undecided = [("undecided", None)] * 9
    assert queue.said() == [("skipped", None), *undecided]
    assert current(page) == second
    page.get_by_text("1 of 10 decided", exact=True).wait_for()

    page.keyboard.press("f")
    queue.wait_said(("skipped", None), ("flagged", None))


def test_what_a_scanner_types_leaves_the_row_of_a_table_as_it_was(
    page: Page, new_review: NewReview
) -> None:
    queue = new_review()
    bob_says(queue, queue.items()[0]["record"], "good")
    before = queue.said()
    page.goto(f"/reviews/{queue.name}")
    page.locator("[data-table][data-ready]").wait_for(state="attached")
    page.keyboard.press("j")

    page.evaluate(SCAN, "2s12f2a1")
    page.get_by_text("faster than a hand types").wait_for()
    queue.wait_sent(page)

    assert queue.said() == before
    assert queue.decisions() > 1


def test_what_is_pasted_is_no_key_and_what_does_not_fit_is_said(
    open_browser: OpenBrowser, new_review: NewReview
) -> None:
    queue = new_review()
    page = open_browser("en-AU", permissions=["clipboard-read", "clipboard-write"])
    queue.open(page)
    page.evaluate("text => navigator.clipboard.writeText(text)", "12" * 1500)

    page.keyboard.press("Control+v")
    page.keyboard.press("n")
    page.keyboard.press("Control+v")
    page.get_by_text("Only the first 2,000 characters fit in here.").wait_for()
    assert page.locator("[name=note]").input_value() == "12" * 1000
    page.keyboard.press("Backspace")
    page.locator(".decide .wrong").wait_for(state="detached")

    assert queue.decisions() == 0
