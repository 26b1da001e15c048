"""Take the pictures of the studio and of a service's page that README and docs show.

Run by hand when the pages change (wants the dev extra and chromium): it copies the example, runs
it, opens `alo ui` and `alo serve` on it and writes `studio-*.png` and `service-docs.png` into
`docs/images/`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples/breast_cancer"
MADE = ("history", ".alo", "studio", "input", "train_artifacts", "inference_artifacts")
PERSON = "ada"  # who has decided and made what is in the pictures
SIZE: ViewportSize = {"width": 1120, "height": 700}
RUNS = (
    ("--mode", "all"),
    ("--mode", "train", "--set", "train.train.model=random_forest"),
    ("--mode", "train", "--set", "train.preprocess.scaler=robust"),
    ("--mode", "train", "--set", "train.train.positive_class=no-such-class"),
    ("--mode", "inference", "--set", "inference.inference.threshold=0.3"),
)


def main() -> int:
    """Take all pictures; returns the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / EXAMPLE.name
        home.mkdir()
        for path in EXAMPLE.iterdir():
            if path.name not in MADE:
                (shutil.copytree if path.is_dir() else shutil.copy)(path, home / path.name)
        for options in RUNS:
            _alo(home, "run", *options)
        runs = json.loads(_alo(home, "history", "--json"))
        candidate, record = _go_round(home)
        of_loop = {
            "review": "/reviews/patients",
            "label": f"/reviews/patients/label?record={record}",
            "dataset": "/datasets/patients/v1",
            "candidate": f"/models/{candidate}",
            "trace": f"/trace/{record}",
        }
        with (
            _started(home, "ui", "--no-sign-in") as (studio, first),
            _started(home, "serve") as (service, line),
        ):
            try:
                while not (found := re.search(r"serving at ([^ ,]+)", line)):
                    line = _line_of(service)
                _take_all(json.loads(first)["url"].rstrip("/"), found[1], runs, of_loop)
            finally:
                service.terminate()
                studio.terminate()
    return 0


def _go_round(home: Path) -> tuple[str, str]:
    """Review results, make a data set and a candidate of it; returns its run, and a record."""
    _alo(home, "review", "new", "patients", "--random", "60", "--seed", "1")
    items = json.loads(_alo(home, "review", "show", "patients", "--json"))["items"]
    decisions = home / "decisions.csv"
    lines = [f"{each['record']},accept" for each in items]
    decisions.write_text("\n".join(["record,verdict", *lines, ""]))
    _alo(home, "review", "decide", "patients", "--from", str(decisions))
    _alo(home, "dataset", "make", "patients", "--review", "patients")
    made = json.loads(_alo(home, "retrain", "--dataset", "patients", "--json"))
    return str(made["run"]), str(items[0]["record"])


@contextmanager
def _started(home: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server, and the first line that it prints."""
    command = [sys.executable, "-m", "alo.cli.main", *words, "--port", "0", "--json"]
    with subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, text=True) as process:
        yield process, _line_of(process)


def _line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None  # noqa: S101 - a pipe, above
    return process.stdout.readline()


def _alo(home: Path, *words: str) -> str:
    command = [sys.executable, "-m", "alo.cli.main", *words]
    env = {**os.environ, "ALO_PERSON": PERSON}
    ended = subprocess.run(
        command, cwd=home, stdout=subprocess.PIPE, text=True, check=False, env=env
    )
    return ended.stdout


def _take_all(url: str, service: str, runs: list[dict[str, str]], of_loop: dict[str, str]) -> None:
    trained = [run["id"] for run in runs if run["pipeline"] == "train"]
    good = [run["id"] for run in runs if run["pipeline"] == "train" and run["status"] == "success"]
    pages = {
        "runs": "/runs",
        "run": f"/runs/{good[0]}",
        "failed": f"/runs/{trained[0]}",
        "compare": f"/compare?run={good[0]}&run={good[1]}",
        **of_loop,
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), chromium_sandbox=False
        )
        for name, path in pages.items():
            _take(browser, f"{url}{path}", f"studio-{name}.png", "en-US", "light")
        _take(browser, f"{url}{pages['run']}", "studio-run-ko.png", "ko-KR", "dark")
        _take(browser, f"{url}/try", "studio-try.png", "en-US", "light", _send)
        _take(browser, f"{service}/docs", "service-docs.png", "en-US", "light", _send)
        browser.close()


def _send(page: Page) -> None:
    """Try the pipeline, and make room for the answer."""
    page.set_viewport_size({**SIZE, "height": 1280})
    page.locator('[data-action="send"]').click()
    page.locator('[data-answer][data-state="success"] [data-output] table').wait_for()


def _take(
    browser: Browser,
    url: str,
    name: str,
    locale: str,
    scheme: str,
    act: Callable[[Page], None] = lambda page: None,
) -> None:
    context = browser.new_context(
        locale=locale,
        viewport=SIZE,
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.goto(url)
    act(page)
    page.screenshot(path=ROOT / "docs/images" / name)
    context.close()


if __name__ == "__main__":
    sys.exit(main())
