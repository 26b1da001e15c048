"""What people do in the studio: watch a run, start one again, cancel it, deploy, sign in anew."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.waiting import PATIENCE_S
from tests.ui.browser.conftest import PASSWORD, Project
from tests.ui.browser.test_keys import on_screen

if TYPE_CHECKING:
    from playwright.sync_api import Page

IN_TRAIN = 'li[data-step="train"][data-state="{}"]'


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A train step that is given this path waits until it is there."""
    return tmp_path / "gate"


def test_a_run_is_watched_while_it_runs(page: Page, project: Project, gate: Path) -> None:
    command = [sys.executable, "-m", "alo.cli.main", "run", "--mode", "train"]
    command += ["--set", f"train.train.gate={gate}"]
    with subprocess.Popen(command, cwd=project.home, stdout=subprocess.DEVNULL) as process:
        try:
            page.goto("/")
            page.get_by_role("link", name="Runs").click()
            page.locator('tr[data-state="running"]').or_(page.locator(".notice a")).wait_for()
            if not page.locator('tr[data-state="running"]').count():
                page.locator(".notice a").click()
            page.locator('tr[data-state="running"] [data-action="open"]').click()
            page.locator(".live", has_text="first line of the step").wait_for()
            page.locator(IN_TRAIN.format("running")).wait_for()
            page.evaluate("window.same = true")
            gate.touch()
            page.locator('main .state[data-state="success"]').first.wait_for()
            page.locator(IN_TRAIN.format("success")).wait_for()
        finally:
            gate.touch()
            process.wait(PATIENCE_S)
    page.locator(".live").wait_for(state="detached")
    assert page.locator("h1 .state").get_attribute("data-state") == "success"
    assert page.evaluate("window.same") is True


def test_newer_runs_are_announced_and_move_nothing(page: Page, project: Project) -> None:
    page.goto("/runs")
    row = page.locator("table.rows tbody tr").first
    before = row.get_attribute("data-run"), row.bounding_box()

    project.alo("run", "--mode", "inference")
    page.locator(".notice a", has_text="1 newer").wait_for()

    assert (row.get_attribute("data-run"), row.bounding_box()) == before
    page.locator(".notice a").click()
    page.locator(f'tr[data-run="{before[0]}"]').wait_for()
    assert row.get_attribute("data-run") != before[0]


def test_a_failed_run_opens_at_its_error(page: Page, project: Project) -> None:
    page.goto(f"/runs/{project.runs['failed']}")

    assert "ValueError: thirteen" in page.locator(".failure").inner_text()
    assert page.locator(".failure").bounding_box()["y"] < 400  # type: ignore[index]


def test_a_run_is_started_again_once_by_a_double_click(page: Page, project: Project) -> None:
    page.goto(f"/runs/{project.runs['first']}")
    page.locator('[data-action="run-again"]').click()
    page.get_by_label("train.x").fill("8")
    assert "train.train.x=8" in page.locator(".command code").inner_text()

    page.locator('[data-action="start"]').dblclick()

    on_screen(page, "job")
    page.locator('h1[data-state="success"]').wait_for()
    page.locator("dl a:not(.trace)").click()
    on_screen(page, "run")
    page.goto("/jobs")
    assert page.locator("tr[data-job]").count() == 1


def test_several_are_selected_by_what_they_are(page: Page) -> None:
    page.goto("/new")
    command = page.locator(".command code")
    page.get_by_role("checkbox", name="q").check()
    assert command.inner_text() == (
        """alo run --mode train --set 'train.train.columns=["p", "q"]'"""
    )
    page.get_by_role("checkbox", name="q").uncheck()
    assert command.inner_text() == "alo run --mode train"
    page.get_by_role("checkbox", name="p").uncheck()
    page.get_by_role("checkbox", name="r").focus()
    page.keyboard.press("Space")

    page.locator('[data-action="start"]').click()

    on_screen(page, "job")
    page.locator('h1[data-state="success"]').wait_for()
    assert """'train.train.columns=["r"]'""" in page.locator("dl code").inner_text()
    page.locator("dl a:not(.trace)").click()
    on_screen(page, "run")
    assert page.request.get(f"{page.url}.json").json()["args"]["train"]["columns"] == ["r"]


def test_the_command_that_is_shown_is_the_one_that_runs(page: Page, project: Project) -> None:
    (project.home / "other").mkdir()
    (project.home / "other/a.csv").write_text("a\n1\n")
    page.goto("/new")
    page.get_by_label("train.label").fill("7")  # a text that looks like a number
    page.get_by_label("train.kind").select_option("b")
    page.get_by_role("checkbox", name="r").check()
    page.get_by_label("Data").fill("./other/")
    shown = page.locator(".command code").inner_text()

    page.locator('[data-action="start"]').click()

    on_screen(page, "job")
    page.locator('h1[data-state="success"]').wait_for()
    words = shlex.split(page.locator("dl code").inner_text())
    words.remove("--json")
    assert shlex.split(shown) == words
    assert words[-1] == '{"pipeline": [{"type": "train", "dataset_uri": ["./other/"]}]}'
    page.locator("dl a:not(.trace)").click()
    on_screen(page, "run")
    assert page.request.get(f"{page.url}.json").json()["args"]["train"]["label"] == "7"


def test_what_cannot_be_is_said_at_its_field(page: Page) -> None:
    page.goto("/new")
    page.get_by_label("train.kind").select_option("b")
    page.get_by_label("train.x").fill("700")

    page.locator('[data-action="start"]').click()

    wrong = page.locator('[data-field="args.train.x"] .wrong')
    wrong.filter(has_text="99").wait_for()
    assert page.get_by_label("train.kind").input_value() == "b"
    assert page.evaluate("document.activeElement.name") == "args.train.x"


def test_a_job_is_started_and_cancelled_by_keyboard(page: Page, gate: Path) -> None:
    page.goto("/new")
    page.locator('[name="args.train.gate"]').focus()
    page.keyboard.press("Control+A")
    page.keyboard.type(str(gate))
    page.keyboard.press("Enter")
    on_screen(page, "job")
    page.locator(".live", has_text="first line of the step").wait_for()

    page.locator('[data-action="cancel"]').focus()
    page.keyboard.press("Enter")

    page.locator('h1[data-state="cancelled"]').wait_for()
    page.keyboard.press("Escape")
    on_screen(page, "jobs")


def test_a_model_is_deployed_and_rolled_back(page: Page, project: Project) -> None:
    first, second = project.runs["first"], project.runs["second"]
    page.goto("/models")
    page.get_by_role("button", name=f"Deploy {first}").click()
    page.locator(f'[data-deployed="{first}"]').wait_for()
    page.get_by_role("button", name=f"Deploy {second}").focus()
    page.keyboard.press("Enter")
    page.locator(f'[data-deployed="{second}"][data-deployed]').wait_for()
    page.locator(f'[data-before="{first}"]').wait_for()

    page.locator('[data-action="rollback"]').click()

    page.locator(f'[data-deployed="{first}"]').wait_for()
    page.goto("/audit")
    assert page.locator("tr", has_text=second).count() >= 1


def test_what_was_typed_is_kept_where_the_session_ends_meanwhile(page: Page) -> None:
    page.goto("/new")
    page.get_by_label("train.x").fill("6")
    other = page.context.new_page()
    other.goto("/")
    other.locator('[data-action="sign-out"]').click()
    on_screen(other, "sign_in")

    page.locator('[data-action="start"]').click()
    page.locator("[data-refusal]:visible").wait_for()
    assert page.get_by_label("train.x").input_value() == "6"
    other.get_by_label("Name").fill("ada")
    other.get_by_label("Password").fill(PASSWORD)
    other.locator('[data-action="sign-in"]').click()
    on_screen(other, "overview")
    other.close()
    page.locator('[data-action="start"]').click()

    on_screen(page, "job")
    assert "train.train.x=6" in page.locator("dl code").inner_text()
    page.locator('h1[data-state="success"]').wait_for()
