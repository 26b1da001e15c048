"""The loop in Chromium: its screens, and a way round it by the keyboard alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.conftest import write_solution
from tests.support.loop_project import LAX, review_results, write_loop_project
from tests.ui.browser.conftest import OpenBrowser, Project
from tests.ui.browser.test_screens import TEMPLATES, look_at

from alo.cli.main import main
from alo.history.browse import History
from alo.history.deployment import read_deployment
from alo.history.filters import Filters
from alo.layout import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Page

NO_SCREENS = {"parts", "comparison_chart"}
SCREENS = {
    "/datasets": "datasets",
    "/datasets?q=nothing-has-this": "datasets",
    "/datasets/new?review=r": "make_dataset",
    "/datasets/d/v1": "dataset",
    "/datasets/d/v1?split=test&new=good": "dataset",
    "/datasets/d/v1/diff/v2": "dataset_diff",
    "/models": "models",
    "/models?at=0s": "models",
    "/models/log": "promotions",
    "/models/retrain?dataset=d@v1": "retrain",
    "/models/{passing}": "candidate",
    "/models/{held}": "candidate",
    "/models/{first}": "candidate",
    "/trace/{record}": "trace",
    "/trace/d@v1": "trace",
    "/trace/{passing}": "trace",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that has gone round once: two data sets, a candidate that passes, one held."""
    home = tmp_path_factory.mktemp("loop") / "project"
    write_loop_project(lambda **options: write_solution(home, **options))
    plan = home / "solution/experimental_plan.yaml"
    review = {"gate": {"min_rows": 5, "max_loss": 0.3}}
    plan.write_text(json.dumps({**json.loads(plan.read_text()), "review": review}))
    review_results(home)

    def alo(*words: str) -> int:
        return main([*words, "--project", str(home)])

    assert alo("dataset", "make", "d", "--review", "r") == 0
    assert alo("dataset", "make", "d", "--review", "r", "--base", "none") == 0
    assert alo("deploy") == 0
    for how, status in (("worst", 3), ("well", 0)):
        words = ["retrain", "--dataset", "d@v1", *LAX, "--set", f"train.how={how}", "--json"]
        assert alo(*words) == status
    records = History(Workspace(home)).list(Filters("train"))
    records = sorted(records, key=lambda record: record.start_time)  # ids know seconds alone
    entries = [record.id for record in records]
    runs = dict(zip(("first", "held", "passing"), entries, strict=True))
    row = (home / "datasets/d/v1/rows.jsonl").read_text().splitlines()[0]
    return Project(home, {**runs, "record": json.loads(row)["record"]})


def test_every_screen_is_among_them() -> None:
    found = {path.stem for path in (TEMPLATES / "loop").glob("*.html")} - NO_SCREENS

    assert found == set(SCREENS.values()) - {"models"}


@pytest.mark.parametrize("path", SCREENS)
def test_a_screen_fits_is_legible_and_loads_nothing_else(
    path: str, open_browser: OpenBrowser, project: Project
) -> None:
    look_at(path.format(**project.runs), SCREENS[path], open_browser)


def to(page: Page, selector: str) -> None:
    """Move the focus there by the keyboard alone."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"no Tab leads to {selector}")


def test_a_model_is_retrained_understood_and_deployed_by_the_keyboard_alone(
    page: Page, project: Project
) -> None:
    page.goto("/")
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.locator('main[data-screen="datasets"]').wait_for()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.locator('h1[data-dataset="d@v1"]').wait_for()
    to(page, 'main [data-action="retrain"]')
    page.keyboard.press("Enter")
    page.locator('main[data-screen="retrain"]').wait_for()
    assert "alo retrain --dataset d@v1" in page.locator(".command code").inner_text()
    to(page, '[data-action="retrain"]')
    page.keyboard.press("Enter")
    page.locator('main[data-screen="job"]').wait_for()
    page.locator('h1[data-state="success"]').wait_for()
    to(page, 'main a[href^="/models/"]')
    page.keyboard.press("Enter")
    page.locator('[data-verdict="pass"]').wait_for()
    run = page.locator("h1").get_attribute("data-run")
    to(page, '[data-action="deploy"]')
    page.keyboard.press("Enter")
    page.locator(f'dd[data-deployed="{run}"]').wait_for()
    assert read_deployment(Workspace(project.home)).run == run


def test_a_data_set_is_made_once_by_a_double_click(page: Page, project: Project) -> None:
    page.goto("/datasets/new?review=r")
    page.get_by_label("Name", exact=True).fill("twice")
    page.get_by_label("Share of test rows").fill("0.5")
    shown = page.locator(".command code").inner_text()
    assert shown == "alo dataset make twice --review r --test-share 0.5"

    page.locator('button[data-action="make-dataset"]').dblclick()
    page.locator('h1[data-state="success"]').wait_for()
    page.locator('main [data-dataset="twice@v1"]').click()

    page.locator('h1[data-dataset="twice@v1"]').wait_for()
    assert [each.name for each in (project.home / "datasets/twice").glob("v*")] == ["v1"]


def test_what_is_refused_is_said_at_its_field_and_what_was_typed_is_kept(page: Page) -> None:
    page.goto("/datasets/new?review=r")
    page.get_by_label("Name", exact=True).fill("fine")
    page.get_by_label("Base").fill("none@v7")

    page.locator('button[data-action="make-dataset"]').click()

    page.locator('[data-field="base"] .wrong', has_text="there is no data set 'none'").wait_for()
    assert page.get_by_label("Name", exact=True).input_value() == "fine"


def test_what_a_candidate_prints_is_on_the_page(page: Page, project: Project) -> None:
    page.goto("/models/retrain?dataset=d@v1")
    page.locator('button[data-action="retrain"]').click()
    page.locator('main[data-screen="job"]').wait_for()

    page.locator("pre", has_text="training on d@v1").wait_for()
    page.locator('h1[data-state="success"]').wait_for()
    page.locator("pre", has_text="testing the candidate").wait_for()


def test_one_that_is_held_is_deployed_with_a_reason(page: Page, project: Project) -> None:
    page.goto(f"/models/{project.runs['held']}")
    page.get_by_label("Why it is deployed all the same").fill("a demo")

    page.locator('[data-action="force-deploy"]').click()

    page.locator(f'dd[data-deployed="{project.runs["held"]}"]').wait_for()
    page.goto("/models/log")
    assert "forced: a demo" in page.locator("table.rows tbody tr").first.inner_text()


def test_two_browsers_retrain_at_once_and_both_are_done_one_after_the_other(
    page: Page, open_browser: OpenBrowser, project: Project
) -> None:
    other = open_browser("ko-KR")
    for each in (page, other):
        each.goto("/models/retrain?dataset=d@v1")
    for each in (page, other):
        each.locator('button[data-action="retrain"]').click()
    for each in (page, other):
        each.locator('h1[data-state="success"]').wait_for()

    runs = {each.locator('main a[href^="/models/"]').first.inner_text() for each in (page, other)}
    assert len(runs) == 2


def test_a_record_leads_to_its_candidate_by_the_drawing(page: Page, project: Project) -> None:
    page.goto(f"/trace/{project.runs['record']}")
    page.locator('.trace-chart [data-kind="comparison"]').first.click()

    page.locator('main[data-screen="candidate"]').wait_for()
