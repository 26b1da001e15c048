"""A real studio of a small project, and Chromium in front of it; nothing outside is reachable."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from tests.conftest import write_asset
from tests.support.waiting import PATIENCE_S

from alo.alarms.ledger import change_ledger
from alo.alarms.watch import Change, Window
from alo.history.ids import utc_text
from alo.layout import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

TOKEN = "the-token-of-the-browser-tests"  # noqa: S105
PASSWORD = "long enough for ada"  # noqa: S105
NARROW: ViewportSize = {"width": 360, "height": 740}
WIDE: ViewportSize = {"width": 1440, "height": 900}
ARGUMENTS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no other host has an address
)
TRAIN = """\
import time

x = self.args["x"]
print("first line of the step")
if x == 13:
    raise ValueError("thirteen")
gate, opened = self.args["gate"], 0
while gate and not os.path.exists(gate):
    if os.path.exists(f"{gate}{opened}"):
        print("line at gate", opened)
        opened += 1
    time.sleep(0.02)
print("last line of the step")
with open(f"{self.asset.get_report_path()}/report.html", "w") as file:
    file.write("<script>document.title = 'ran'</script><h1>report</h1>")
with open(f"{self.asset.get_model_path()}/model.json", "w") as file:
    file.write("{}")
mix = {"ok": 0.75, "not ok": 0.25}
note = f"a note that is longer than a column has room for: {x} " * 2
self.asset.save_summary(result="ok", score=min(1.0, x / 10), note=note, probability=mix)
"""
PIXEL = (  # a picture of one pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
INFER = f"""\
import base64

with open(f"{{self.asset.get_output_path()}}/pixel.png", "wb") as file:
    file.write(base64.b64decode("{PIXEL}"))
with open(f"{{self.asset.get_output_path()}}/output.csv", "w") as file:
    file.write("name,value\\n" + "".join(f"row {{i}},{{i}}\\n" for i in range(120)))
self.asset.save_summary(result="ok", score=0.5)
"""


class Project(NamedTuple):
    """A project with two train runs, an inference run and a failed one; a name for each run."""

    home: Path
    runs: dict[str, str]

    def alo(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """The command line in this project."""
        command = [sys.executable, "-m", "alo.cli.main", *words]
        return subprocess.run(
            command,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            **options,
        )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Made anew for each module, as tests change it."""
    home = tmp_path_factory.mktemp("studio") / "project"
    steps = {
        "train_pipeline": [
            {"step": "prepare", "args": {}},
            {
                "step": "train",
                "args": {"x": 5, "kind": "a", "gate": "", "columns": ["p"], "label": "a"},
                "ui_args": ["x", "kind", "gate", "columns", "label"],
            },
        ],
        "inference_pipeline": [{"step": "infer", "args": {}}],
    }
    details = [
        {"name": "x", "type": "int", "default": 5, "range": [1, 99], "description": "how deep"},
        {"name": "kind", "type": "single_selection", "selectable": ["a", "b"], "default": "a"},
        {"name": "columns", "type": "multi_selection", "selectable": ["p", "q", "r"]},
        {"name": "label", "type": "string", "default": "a"},
    ]
    plan = {
        "name": "studio",
        "user_parameters": steps,
        "ui_args_detail": [{"train_pipeline": [{"step": "train", "args": details}]}],
        "alarm": {"score_below": 0.6},
    }
    (home / "solution").mkdir(parents=True)
    (home / "solution" / "experimental_plan.yaml").write_text(json.dumps(plan))
    write_asset(home, "prepare", "self.data['numbers'] = [1, 2, 3]")
    write_asset(home, "train", f"import os\n{TRAIN}")
    write_asset(home, "infer", INFER)
    made = Project(home, {})
    for options in (
        ["train"],
        ["inference"],
        ["train", "--set", "train.train.x=7"],
        ["train", "--set", "train.train.x=13"],
    ):
        made.alo("run", "--mode", *options)
    listed = json.loads(made.alo("history", "--json").stdout)
    names = ("failed", "second", "inference", "first")
    made.runs.update(zip(names, [each["id"] for each in listed], strict=True))
    low = Change("score_below", "raised", 0.5, 0.6, 1)  # as a service would have noted it
    change_ledger(
        Workspace(home),
        lambda now: now.with_changes([low], Window(), "studio", utc_text(time()), is_sent=False),
    )
    words = ["ui", "users", "add", "ada", "--role", "operator", "--password-stdin"]
    added = made.alo(*words, input=f"{PASSWORD}\n")
    assert added.returncode == 0, added.stderr
    return made


@pytest.fixture(scope="module")
def url(project: Project) -> Iterator[str]:
    """The URL of its studio."""
    command = [sys.executable, "-m", "alo.cli.main", "ui", "--port", "0", "--json"]
    environment = {**os.environ, "ALO_UI_TOKEN": TOKEN}
    with subprocess.Popen(
        command, cwd=project.home, stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        started = json.loads(process.stdout.readline())
        yield f"http://127.0.0.1:{started['port']}"
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser without a profile."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("chromium is not installed; scripts/install_servers.sh installs it")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=list(ARGUMENTS), chromium_sandbox=False
        )
        yield browser
        browser.close()


class Watched:
    """What went wrong in a browser's pages, as it is noticed."""

    def __init__(self, context: BrowserContext, own: str) -> None:
        self.problems: list[str] = []
        self._own = urlsplit(own).netloc
        context.on("request", self._on_request)
        context.on("console", lambda message: self._on_console(message.type, message.text))
        context.on("weberror", lambda error: self.problems.append(str(error.error)))

    def _on_request(self, request: Any) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.netloc != self._own:
            self.problems.append(f"another host was asked: {request.url}")

    def _on_console(self, kind: str, text: str) -> None:
        # A refused form or an ended session is reported to the script by its status.
        if kind == "error" and not re.search(r"status of (401|409|422)", text):
            self.problems.append(text)


OpenBrowser = Callable[..., "Page"]


@pytest.fixture(scope="module")
def open_browser(chromium: Browser, url: str) -> Iterator[OpenBrowser]:
    """``open_browser("ko-KR")``: a page of a signed-in browser; one for each kind of browser."""
    opened: dict[str, tuple[Page, Watched]] = {}

    def open_one(locale: str = "en-US", **options: Any) -> Page:
        key = f"{locale} {options}"
        if key not in opened:
            context = chromium.new_context(
                base_url=url, locale=locale, viewport=WIDE, color_scheme="light", **options
            )
            context.set_default_timeout(PATIENCE_S * 500)
            opened[key] = (context.new_page(), Watched(context, url))
            opened[key][0].goto(f"/runs?token={TOKEN}")
        page, watched = opened[key]
        watched.problems.clear()
        return page

    open_one.opened = opened  # type: ignore[attr-defined]
    yield open_one
    for page, _ in opened.values():
        page.context.close()


@pytest.fixture(autouse=True)
def _nothing_goes_wrong(open_browser: OpenBrowser) -> Iterator[None]:
    """No request to another host, and no error on a console."""
    yield
    for _, watched in open_browser.opened.values():  # type: ignore[attr-defined]
        assert watched.problems == []
        watched.problems.clear()


@pytest.fixture
def page(open_browser: OpenBrowser) -> Page:
    """A signed-in page in English, wide and light."""
    page = open_browser()
    page.set_viewport_size(WIDE)
    return page
