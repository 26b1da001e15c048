"""Every screen in Chromium: both languages, narrow and wide, light and dark, and axe's rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.support.korean import english
from tests.support.waiting import wait_until
from tests.ui.browser.conftest import NARROW, TOKEN, WIDE, OpenBrowser, Project

from alo import ui

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = Path(__file__).parents[1] / "axe" / "axe.min.js"
TEMPLATES = Path(ui.__file__).with_name("templates")
NO_SCREENS = {"base", "parts"}
# What the projects of these tests have named, and what is typed as it is named.
OWN = """
    project studio ada owner root vm good bad fine learned how prepare train infer ok not kind x row
    numbers a note that is longer than column has room for deep columns label gate output name value
    thirteen ValueError nothing-has-this report score pixel benign malignant age remark patient
    prediction probability alert script fine diagnosis passing known image certainty
    yaml error filter id pipeline status start_time seconds result note model args step key
"""
FIND_FAULTS = """async (rules) => (await axe.run({resultTypes: ["violations"], iframes: false,
    ...(rules.length ? {runOnly: rules} : {})}))
    .violations.filter(each => ["serious", "critical"].includes(each.impact))
    .map(each => `${each.id}: ${each.nodes.map(node => node.html + node.failureSummary)}`)"""
FIND_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
    [...document.querySelectorAll("body *")]
    .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
    .map(each => each.outerHTML.slice(0, 200))"""
SCREENS = {
    "/": "overview",
    "/runs": "runs",
    "/runs?sort=-score&pipeline=train&columns=score,args.train.x": "runs",
    "/runs?q=nothing-has-this": "runs",
    "/runs/{second}": "run",
    "/runs/{failed}": "run",
    "/runs/{second}/steps": "run_steps",
    "/runs/{second}/log": "run_log",
    "/runs/{second}/files": "run_files",
    "/runs/{second}/plan": "run_plan",
    "/runs/{second}/code": "run_code",
    "/runs/{second}/again": "run_again",
    "/runs/{inference}/files?folder=output": "run_files",
    "/runs/{inference}/files/output/output.csv": "table",
    "/runs/{inference}/files/output/output.csv?values=name&filter=value=7": "table",
    "/runs/{inference}/files/output/pixel.png": "image",
    "/runs/{second}/files/report/report.html": "file",
    "/runs/{second}/files/log/pipeline.log": "file",
    "/new": "run_again",
    "/compare": "compare",
    "/compare?run={first}&run={second}": "compare",
    "/feed": "feed",
    "/models": "models",
    "/try": "try",
    "/jobs": "jobs",
    "/jobs/{job}": "job",
    "/audit": "audit",
    "/users": "users",
    "/sign-in": "sign_in",
    "/runs?sort=nothing": "problem",
}


@pytest.fixture(scope="module")
def names(project: Project, url: str) -> dict[str, str]:
    """Name → id, of the project's runs and of a job that has ended."""
    client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"})
    with client:
        job = client.post("/runs", json={"pipeline": "inference"}).json()["id"]
        ended = wait_until(lambda: client.get(f"/jobs/{job}.json").json()["ended"], every_s=0.1)
    assert ended
    return {**project.runs, "job": job}


def test_every_screen_is_among_them() -> None:
    folders = (TEMPLATES, TEMPLATES / "runs", TEMPLATES / "files")
    found = {path.stem for each in folders for path in each.glob("*.html")} - NO_SCREENS

    assert found == set(SCREENS.values())


@pytest.mark.parametrize("path", SCREENS)
def test_a_screen_fits_is_legible_and_loads_nothing_else(
    path: str, open_browser: OpenBrowser, names: dict[str, str]
) -> None:
    look_at(path.format(**names), SCREENS[path], open_browser)


def assert_no_faults(page: Page) -> None:
    """axe finds nothing in what is shown, and it is legible when it is dark, too."""
    page.evaluate(AXE.read_text())
    assert page.evaluate(FIND_FAULTS, []) == []
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(FIND_FAULTS, ["color-contrast"]) == []
    page.emulate_media(color_scheme="light")


def look_at(path: str, screen: str, open_browser: OpenBrowser) -> None:
    """Open a screen in both languages, narrow and wide, light and dark, and find its faults."""
    for locale in ("ko-KR", "en-US"):
        page = open_browser(locale)
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == locale[:2]
        assert page.locator("main").get_attribute("data-screen") == screen
        if locale == "ko-KR":
            assert english(page.content(), OWN) == []
        for size in (NARROW, WIDE):
            page.set_viewport_size(size)
            assert page.evaluate(FIND_WIDE) == []
    assert_no_faults(page)
