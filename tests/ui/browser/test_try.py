"""The form that tries an inference, in Chromium: on the page of a service, and in the studio."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from ast import literal_eval
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import write_asset
from tests.serve.http_api.test_app import SECRET, Service
from tests.support.waiting import PATIENCE_S, end_all
from tests.ui.browser.conftest import NARROW, TOKEN, WIDE, OpenBrowser, Project, Watched
from tests.ui.browser.test_screens import AXE, FIND_FAULTS, FIND_WIDE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

INFER = """\
import base64
from pathlib import Path

files = sorted(each for each in Path(self.asset.get_input_path()).rglob("*") if each.is_file())
if self.args["x"] == 13:
    raise ValueError("<b>thirteen</b>")
out = Path(self.asset.get_output_path())
out.joinpath("out.csv").write_text('name,<i>n</i>\\n"<script>window.hacked = 1</script>",2\\n')
out.joinpath("dot.png").write_bytes(base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
))
text = files[0].read_text().replace("\\n", "|")
self.asset.save_summary("ok", 0.5, note=text[:100], probability={"<b>a</b>": 0.25, "b": 0.75})
"""
HOSTILE = "<img src=x onerror=window.hacked=1>"
INPUT = f'n,"{HOSTILE}",ok\n1,x,True\n'
Visit = Callable[[str], "Page"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One inference step, whose last input had a column with a script in its name."""
    home = tmp_path_factory.mktemp("try") / "project"
    write_asset(home, "infer", INFER)
    details = [{"name": "x", "type": "int", "default": 5, "range": [1, 99], "description": "how"}]
    plan = {
        "name": "solution <b>",
        "user_parameters": {
            "inference_pipeline": [{"step": "infer", "args": {"x": 5}, "ui_args": ["x"]}]
        },
        "ui_args_detail": [{"inference_pipeline": [{"step": "infer", "args": details}]}],
    }
    (home / "solution").mkdir()
    (home / "solution/experimental_plan.yaml").write_text(json.dumps(plan))
    (home / "input/inference/d").mkdir(parents=True)
    (home / "input/inference/d/a.csv").write_text(INPUT)
    return Project(home, {})


@pytest.fixture
def staged(project: Project) -> Iterator[Path]:
    """The file of the last input, as another one may have been; put back after the test."""
    path = project.home / "input/inference/d/a.csv"
    yield path
    path.write_text(INPUT)


@pytest.fixture(scope="module")
def service(project: Project) -> Iterator[Service]:
    """A service that wants a token."""
    found = Service(project.home, token=SECRET)
    yield found
    found.client.close()
    end_all(found.process)


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visit]:
    """``visit(url)``: a page of a browser, in which no script but ours may run."""
    opened: list[tuple[Any, Watched]] = []

    def open_one(url: str) -> Page:
        context = chromium.new_context(viewport=WIDE, color_scheme="light")
        context.set_default_timeout(PATIENCE_S * 500)
        opened.append((context, Watched(context, url)))
        page: Page = context.new_page()
        page.goto(url)
        return page

    yield open_one
    for context, watched in opened:
        for page in context.pages:
            assert page.evaluate("window.hacked") is None
        context.close()
        reported = "Failed to load resource"  # a status is reported to the script
        assert [each for each in watched.problems if reported not in each] == []


def with_token(visit: Visit, service: Service) -> Page:
    page = visit(f"{service.url}/docs")
    page.get_by_label("Token of the service").fill(SECRET)
    page.keyboard.press("Enter")
    page.locator('[data-action="send"]').wait_for()
    return page


def answer(page: Page, state: str = "success") -> Any:
    """Send, and wait for what comes back."""
    page.locator('[data-action="send"]').click()
    found = page.locator(f'[data-answer][data-state="{state}"]')
    found.wait_for()
    return found


def choose(page: Page, way: str) -> None:
    page.get_by_role("radio", name=way).check()


def look_over(page: Page) -> None:
    """It fits, narrow and wide, and axe finds nothing serious, light and dark."""
    for size in (NARROW, WIDE):
        page.set_viewport_size(size)
        assert page.evaluate(FIND_WIDE) == []
    page.evaluate(AXE.read_text())
    assert page.evaluate(FIND_FAULTS, []) == []
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(FIND_FAULTS, ["color-contrast"]) == []


def test_the_page_shows_nothing_until_it_has_the_token(visit: Visit, service: Service) -> None:
    page = visit(f"{service.url}/docs")
    field = page.get_by_label("Token of the service")
    assert "solution" not in page.content()

    field.fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_text("The token is wrong.").wait_for()
    field.fill(SECRET)
    page.keyboard.press("Enter")

    page.get_by_role("heading", name="solution <b>").wait_for()


def test_rows_are_sent_by_keyboard_and_the_answer_is_shown(visit: Visit, service: Service) -> None:
    page = with_token(visit, service)
    page.get_by_label(f"row 1, {HOSTILE}").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type('"<i>", x')
    page.get_by_label("row 1, n").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("12345678901234567890")
    page.keyboard.press("Enter")

    shown = page.locator('[data-answer][data-state="success"]')
    shown.wait_for()

    note = shown.locator('[data-summary="note"]').inner_text()
    assert note == f'n,{HOSTILE},ok|12345678901234567890,"""<i>"", x",True|'
    assert shown.locator("table.probabilities th").all_text_contents() == ["b", "<b>a</b>"]
    shown.locator('[data-output="out.csv"] td').first.wait_for()  # it is fetched after the answer
    assert shown.locator('[data-output="out.csv"] td').all_text_contents() == [
        "<script>window.hacked = 1</script>",
        "2",
    ]
    shown.locator('[data-output="dot.png"] img').wait_for()
    assert shown.locator("img").evaluate("each => each.decode().then(() => each.naturalWidth)") == 1
    assert len(shown.locator("[data-request]").inner_text()) == 16
    with page.expect_download() as download:
        shown.get_by_role("button", name="Download out.csv").press("Enter")
    assert Path(download.value.path()).read_text().startswith("name,<i>n</i>\n")
    page.locator("details.route summary").first.press("Enter")
    page.locator("details.route[open] table").first.wait_for()
    look_over(page)


def test_rows_and_columns_are_added_and_removed(visit: Visit, service: Service) -> None:
    page = with_token(visit, service)
    page.locator('[data-action="add-row"]').press("Enter")
    page.keyboard.type("7")
    page.locator('[data-action="add-column"]').press("Enter")
    page.keyboard.type("new")
    page.get_by_label("row 2, ", exact=True).fill("00501")
    assert (
        answer(page)
        .locator('[data-summary="note"]')
        .inner_text()
        .endswith("|1,text,True,|7,text,True,00501|")
    )

    page.get_by_label("Remove: row 1").press("Enter")

    assert page.get_by_label("row 2, n", exact=True).count() == 0
    assert page.get_by_label("row 1, n", exact=True).input_value() == "7"


def test_a_table_and_files_are_sent(visit: Visit, service: Service, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("k\n<u>\n")
    page = with_token(visit, service)
    choose(page, "CSV")
    page.get_by_label("Take the text of a file").set_input_files(tmp_path / "a.csv")
    page.locator("textarea").filter(visible=True).wait_for()
    page.wait_for_function("document.querySelector('textarea').value.startsWith('k')")
    assert answer(page).locator('[data-summary="note"]').inner_text() == "k|<u>|"

    choose(page, "Files")
    page.locator("input[multiple]").set_input_files(tmp_path / "a.csv")
    page.get_by_label("infer.x").fill("6")

    assert answer(page).locator('[data-summary="note"]').inner_text() == "k|<u>|"


def test_what_fails_says_what_and_where(visit: Visit, service: Service) -> None:
    page = with_token(visit, service)
    page.get_by_label("infer.x").fill("13")

    failed = answer(page, "error")

    assert "ValueError: <b>thirteen</b>" in failed.locator(".reason").inner_text()
    failed.locator("details summary", has_text="Traceback").press("Enter")
    assert "asset_infer.py" in failed.locator("details pre").inner_text()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_calls_that_are_shown_do_the_same(
    visit: Visit, service: Service, tmp_path: Path
) -> None:
    page = with_token(visit, service)
    page.get_by_label(f"row 1, {HOSTILE}").fill('it\'s "$HOME" \\ é')
    page.get_by_label("infer.x").fill("7")
    page.locator("summary", has_text="The same call").press("Enter")
    (tmp_path / "my file.csv").write_text("k\n1\n")

    for way in ("Rows", "CSV", "Files"):
        choose(page, way)
        if way == "Files":
            page.locator("input[multiple]").set_input_files(tmp_path / "my file.csv")
        wanted = answer(page).locator('[data-summary="note"]').inner_text()
        curl = page.locator('[data-call="curl"]').inner_text()
        python = page.locator('[data-call="python"]').inner_text()
        assert SECRET not in curl + python

        assert json.loads(told_by(["bash", "-c", curl], tmp_path))["summary"]["note"] == wanted
        by_python = literal_eval(told_by([sys.executable, "-c", python], tmp_path))
        assert by_python["summary"]["note"] == wanted


def told_by(command: list[str], folder: Path) -> str:
    """What a command prints that has the token in its environment."""
    environment = {**os.environ, "ALO_TOKEN": SECRET}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_very_wide_table_is_shown_in_parts_and_sent_whole(
    visit: Visit, service: Service, staged: Path
) -> None:
    names = [f"c{number}" for number in range(5000)]
    staged.write_text(",".join(names) + "\n" + ",".join("1" for _ in names) + "\n")
    page = with_token(visit, service)
    assert page.locator("table.cells tbody tr").count() == 100

    page.locator('[data-action="more-columns"]').press("Enter")

    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "row 1, c100"
    assert answer(page).locator('[data-summary="note"]').inner_text().startswith("c0,c1,")
    page.locator("summary", has_text="The same call").press("Enter")
    page.locator('[data-call="curl"]', has_text='"c4999": 1}').wait_for()


@pytest.fixture
def first_service(project: Project, tmp_path: Path) -> Iterator[Service]:
    """A service of a project that no inference has run in, nor any other service."""
    for name in ("assets", "solution"):
        shutil.copytree(project.home / name, tmp_path / "fresh" / name)
    found = Service(tmp_path / "fresh", token=SECRET)
    yield found
    found.client.close()
    end_all(found.process)


def test_where_no_columns_are_known_it_says_so_and_takes_any(
    visit: Visit, first_service: Service
) -> None:
    page = with_token(visit, first_service)
    page.locator(".empty", has_text="alo run --mode inference").wait_for()
    page.get_by_label("Name of the new column").fill("mine")
    page.get_by_label("row 1, ", exact=True).fill("2")

    assert answer(page).locator('[data-summary="note"]').inner_text() == "mine|2|"


def test_a_service_that_has_ended_is_said_and_what_was_typed_is_kept(
    visit: Visit, project: Project
) -> None:
    service = Service(project.home)
    page = visit(f"{service.url}/docs")
    page.get_by_label("row 1, n").fill("42")
    service.end(signal.SIGKILL)

    gone = answer(page, "error")

    assert "cannot be reached" in gone.inner_text()
    assert page.get_by_label("row 1, n").input_value() == "42"


@pytest.mark.parametrize(
    ("locale", "words"),
    [("en-US", ("row", "success", "Files")), ("ko-KR", ("행", "성공", "파일"))],
)
def test_the_studio_tries_with_a_worker_of_its_own(
    locale: str, words: tuple[str, str, str], open_browser: OpenBrowser, tmp_path: Path
) -> None:
    row, success, files = words
    page = open_browser(locale)
    page.set_viewport_size(WIDE)
    page.goto("/try")
    page.locator('select[name="service"]').select_option("worker")
    page.get_by_label(f"{row} 1, n").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("8")
    page.keyboard.press("Enter")
    shown = page.locator('[data-answer][data-state="success"]')
    shown.wait_for()
    assert success in shown.locator("h3").inner_text()
    assert shown.locator('[data-summary="note"]').inner_text().endswith("|8,text,True|")
    shown.locator('[data-output="dot.png"] img').wait_for()
    assert page.evaluate("window.hacked") is None

    choose(page, files)
    (tmp_path / "a.txt").write_text("한글")
    page.locator("input[multiple]").set_input_files(tmp_path / "a.txt")
    page.locator('[data-action="send"]').press("Enter")

    page.locator('[data-summary="note"]', has_text="한글").wait_for()
    look_over(page)
    page.emulate_media(color_scheme="light")


def test_files_that_are_too_large_for_the_studio_are_not_sent(page: Page, tmp_path: Path) -> None:
    (tmp_path / "large.bin").write_bytes(bytes(14_000_001))
    page.goto("/try")
    choose(page, "Files")
    page.locator("input[multiple]").set_input_files(tmp_path / "large.bin")

    assert "14 MB" in answer(page, "error").locator(".reason").inner_text()


def test_the_studio_tries_with_a_service_and_its_token(page: Page, service: Service) -> None:
    page.goto("/try")
    name = str(service.client.get("/healthz").json()["service"])
    page.locator('select[name="service"]').select_option(name)

    refused = answer(page, "error")
    assert "token" in refused.locator(".reason").inner_text()
    page.get_by_label("Token of the service").fill(SECRET)
    page.keyboard.press("Enter")

    page.locator('[data-answer][data-state="success"]').wait_for()
    page.locator("summary", has_text="The same call").press("Enter")
    page.locator('[data-call="curl"]', has_text="$ALO_TOKEN").wait_for()
    curl = page.locator('[data-call="curl"]').inner_text()
    assert service.url in curl
    assert SECRET not in curl


def test_what_was_typed_is_kept_where_the_session_ends_meanwhile(page: Page) -> None:
    page.goto("/try")
    page.get_by_label("row 1, n").fill("42")
    other = page.context.new_page()
    other.goto("/")
    other.locator('[data-action="sign-out"]').click()
    other.locator('main[data-screen="sign_in"]').wait_for()

    assert "The session is over" in answer(page, "error").inner_text()
    assert page.get_by_label("row 1, n").input_value() == "42"
    other.goto(f"/try?token={TOKEN}")
    other.close()
    page.locator('select[name="service"]').select_option("worker")
    assert answer(page).locator('[data-summary="note"]').inner_text().endswith("|42,text,True|")
