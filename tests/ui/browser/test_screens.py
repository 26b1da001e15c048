"""Every screen in Chromium: both languages, narrow and wide, light and dark, and axe's rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.ui.browser.conftest import NARROW, WIDE, OpenBrowser, Project

AXE = Path(__file__).parents[1] / "axe" / "axe.min.js"
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
    "/runs/{inference}/files/output/output.csv": "",
    "/runs/{second}/files/report/report.html": "",
    "/new": "run_again",
    "/compare": "compare",
    "/compare?run={first}&run={second}": "compare",
    "/feed": "feed",
    "/models": "models",
    "/jobs": "jobs",
    "/audit": "audit",
    "/users": "users",
    "/sign-in": "sign_in",
}


@pytest.mark.parametrize("path", SCREENS)
def test_a_screen_fits_is_legible_and_loads_nothing_else(
    path: str, open_browser: OpenBrowser, project: Project
) -> None:
    for locale in ("ko-KR", "en-US"):
        page = open_browser(locale)
        page.goto(path.format(**project.runs))
        assert page.locator("html").get_attribute("lang") == locale[:2]
        if SCREENS[path]:
            assert page.locator("main").get_attribute("data-screen") == SCREENS[path]
        for size in (NARROW, WIDE):
            page.set_viewport_size(size)
            assert page.evaluate(FIND_WIDE) == []
    page.evaluate(AXE.read_text())
    assert page.evaluate(FIND_FAULTS, []) == []
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(FIND_FAULTS, ["color-contrast"]) == []
    page.emulate_media(color_scheme="light")
