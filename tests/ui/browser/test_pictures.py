"""A picture is zoomed and panned by mouse, keys and fingers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from .conftest import NARROW, OpenBrowser, Project

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDTH, HEIGHT = 3000, 2400
FACTS = """() => {
    const figure = document.querySelector("[data-zoom]");
    const { width } = figure.querySelector("img").getBoundingClientRect();
    return [width, figure.scrollLeft, figure.scrollTop];
}"""


class Facts(NamedTuple):
    """How a picture is shown."""

    width: float
    left: float  # what is scrolled out there
    top: float


def facts(page: Page) -> Facts:
    return Facts(*page.evaluate(FACTS))


@pytest.fixture(scope="module")
def large(project: Project) -> str:
    """The page of a picture that fits no window."""
    images = pytest.importorskip("PIL.Image")
    run = project.runs["inference"]
    path = project.home / "history/inference" / run / "output/large.png"
    images.radial_gradient("L").resize((WIDTH, HEIGHT)).save(path)
    path.with_name("liar.png").write_text("<html><script>alert(1)</script></html>")
    return f"/runs/{run}/files/output/large.png"


@pytest.fixture
def picture(page: Page, large: str) -> Page:
    page.goto(large)
    page.wait_for_function("document.querySelector('[data-scale]').textContent")
    return page


def centre(page: Page) -> tuple[float, float]:
    box = page.locator("[data-zoom]").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_dragging_pans_and_a_click_zooms(picture: Page) -> None:
    x, y = centre(picture)
    assert facts(picture).width < 1500
    picture.mouse.click(x, y)
    before = facts(picture)
    assert before.width == WIDTH
    assert before.left > 0  # the point under the pointer has stayed there
    assert before.top > 0

    picture.mouse.move(x, y)
    picture.mouse.down()
    picture.mouse.move(x - 90, y - 60, steps=3)
    picture.mouse.up()

    assert facts(picture) == (WIDTH, before.left + 90, before.top + 60)
    picture.mouse.click(x, y)
    assert facts(picture).width < 1500


def test_buttons_keys_and_the_wheel_zoom_about_a_point(picture: Page) -> None:
    fits = facts(picture).width
    for action, factor in (("zoom-in", 1.5), ("zoom-in", 2.25), ("zoom-out", 1.5)):
        picture.locator(f'[data-action="{action}"]').click()
        assert facts(picture).width == pytest.approx(fits * factor, rel=0.01)
    picture.locator('[data-action="zoom-own"]').click()
    assert picture.locator("[data-scale]").inner_text() == "100 %"
    picture.locator("[data-zoom]").focus()
    for key, width in (("0", fits), ("+", fits * 1.5), ("-", fits), ("1", WIDTH), ("Enter", fits)):
        picture.keyboard.press(key)
        assert facts(picture).width == pytest.approx(width, rel=0.01), key

    x, y = centre(picture)
    picture.mouse.move(x, y)
    picture.mouse.wheel(0, 40)  # which scrolls the page, as everywhere
    assert facts(picture).width == pytest.approx(fits, rel=0.01)
    picture.keyboard.down("Control")
    picture.mouse.wheel(0, -200)
    picture.keyboard.up("Control")
    picture.wait_for_function(f"() => ({FACTS})()[0] > {fits * 2}")
    assert facts(picture).width == pytest.approx(fits * 2.718, rel=0.02)


def test_fingers_pinch_and_pan(open_browser: OpenBrowser, large: str) -> None:
    page = open_browser("en-GB", has_touch=True)
    page.set_viewport_size(NARROW)
    page.goto(large)
    page.wait_for_function("document.querySelector('[data-scale]').textContent")
    page.locator("[data-zoom]").scroll_into_view_if_needed()
    x, y = centre(page)
    fits = facts(page).width
    tools = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at: list[dict[str, Any]] = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        tools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", (x - 20, y), (x + 20, y))
    for half in (30, 40, 60, 80, 100):
        touch("touchMove", (x - half, y), (x + half, y))
    touch("touchEnd")
    page.wait_for_function(f"() => ({FACTS})()[0] > {fits * 4}")
    pinched = facts(page)
    assert pinched.width == pytest.approx(fits * 5, rel=0.05)
    assert page.evaluate("visualViewport.scale") == 1  # the page itself was not zoomed

    touch("touchStart", (x, y))
    for step in range(1, 9):
        touch("touchMove", (x - 10 * step, y))
    touch("touchEnd")

    page.wait_for_function(f"() => ({FACTS})()[1] > {pinched.left + 20}")
    assert facts(page).width == pinched.width


def test_a_picture_that_cannot_be_shown_says_why_in_its_place(
    page: Page, project: Project, large: str
) -> None:
    page.goto(f"/runs/{project.runs['inference']}/files?folder=output")

    why = page.locator('[data-file="output/liar.png"] .wrong')
    why.get_by_text("it is no picture of a kind known here").wait_for()

    assert not page.locator('[data-file="output/liar.png"] img').is_visible()
    assert page.locator('[data-file="output/large.png"] img').is_visible()
    assert page.locator(".wrong").count() == 1
