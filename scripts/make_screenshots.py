"""Take the pictures of the studio that README and docs show, of a few runs of the example.

Run by hand when the pages change (wants the dev extra and chromium): it copies the example, runs
it, opens `alo ui` on it and writes `docs/images/studio-*.png`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples/breast_cancer"
MADE = ("history", ".alo", "studio", "input", "train_artifacts", "inference_artifacts")
SIZE = {"width": 1120, "height": 700}
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
        command = [sys.executable, "-m", "alo.cli.main", "ui", "--no-sign-in", "--port", "0"]
        with subprocess.Popen(
            [*command, "--json"], cwd=home, stdout=subprocess.PIPE, text=True
        ) as studio:
            assert studio.stdout is not None  # noqa: S101 - a pipe, above
            url = json.loads(studio.stdout.readline())["url"].rstrip("/")
            try:
                _take_all(url, runs)
            finally:
                studio.terminate()
    return 0


def _alo(home: Path, *words: str) -> str:
    command = [sys.executable, "-m", "alo.cli.main", *words]
    ended = subprocess.run(command, cwd=home, stdout=subprocess.PIPE, text=True, check=False)
    return ended.stdout


def _take_all(url: str, runs: list[dict[str, str]]) -> None:
    trained = [run["id"] for run in runs if run["pipeline"] == "train"]
    good = [run["id"] for run in runs if run["pipeline"] == "train" and run["status"] == "success"]
    pages = {
        "runs": "/runs",
        "run": f"/runs/{good[0]}",
        "failed": f"/runs/{trained[0]}",
        "compare": f"/compare?run={good[0]}&run={good[1]}",
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), chromium_sandbox=False
        )
        for name, path in pages.items():
            _take(browser, f"{url}{path}", f"studio-{name}.png", "en-US", "light")
        _take(browser, f"{url}{pages['run']}", "studio-run-ko.png", "ko-KR", "dark")
        browser.close()


def _take(browser: Browser, url: str, name: str, locale: str, scheme: str) -> None:
    context = browser.new_context(
        locale=locale,
        viewport={"width": SIZE["width"], "height": SIZE["height"]},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.goto(url)
    page.screenshot(path=ROOT / "docs/images" / name)
    context.close()


if __name__ == "__main__":
    sys.exit(main())
