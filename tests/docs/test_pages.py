"""What pages point to is there, and what they show can be typed into a new project."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]
TRANSLATED = [page for page in PAGES if page.name.endswith(".ko.md")]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:)([^)\s#]*)(?:#([^)\s]+))?\)")


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [code for name, code in BLOCK.findall(text) if name == language]


def anchors(page: Path) -> set[str]:
    """Those that GitHub gives the headings of a page."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.fixture
def project(tmp_path: Path, alo: Callable[..., Any]) -> Path:
    """As ``alo init`` makes one."""
    assert alo("init", "flowers", cwd=tmp_path).returncode == 0
    return tmp_path / "flowers"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))

    for name, anchor in LINK.findall(text):
        target = page.parent / name if name else page
        assert target.exists(), name
        assert not anchor or anchor in anchors(target), f"{name}#{anchor}"


@pytest.mark.parametrize("page", TRANSLATED, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_translation_shows_the_same_code(page: Path) -> None:
    def code(each: Path) -> list[tuple[str, str]]:
        found = BLOCK.findall(each.read_text(encoding="utf-8"))
        return [(language, re.sub(r" +#.*", "", text)) for language, text in found]

    assert code(page) == code(page.with_name(page.name.replace(".ko.md", ".md")))


@pytest.mark.parametrize("page", TRANSLATED, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_translation_has_the_same_sections(page: Path) -> None:
    def levels(each: Path) -> list[str]:
        return re.findall(r"^#+(?= )", BLOCK.sub("", each.read_text(encoding="utf-8")), re.M)

    assert levels(page) == levels(page.with_name(page.name.replace(".ko.md", ".md")))


def test_the_problems_that_the_readme_shows_are_those_that_are_found(
    project: Path, alo: Callable[..., Any]
) -> None:
    plan = project / "solution/experimental_plan.yaml"
    text = plan.read_text().replace("unsure_below: 0.8", "unsure_below 0.8")
    plan.write_text(text.replace("\ncontrol:", "\ncontrl:"))

    done = alo("check", cwd=project)

    assert blocks("README.md", "text") == [f"$ alo check\n{done.stderr}"]


def test_the_step_of_the_readme_runs_in_a_new_project(
    project: Path, run: Callable[..., Any]
) -> None:
    (step,) = blocks("README.md", "python")
    (project / "assets/input/asset_input.py").write_text(step)

    train, inference = run(project)

    assert train.summary["result"] == "accuracy 0.96"
    assert inference.summary["result"].startswith("30 rows")


def test_the_step_that_is_added_runs_where_the_page_says(
    project: Path, run: Callable[..., Any]
) -> None:
    page = "docs/getting-started/first-solution.md"
    (step,) = blocks(page, "python")
    (project / "assets/clean").mkdir()
    (project / "assets/clean/asset_clean.py").write_text(step)
    plan = project / "solution/experimental_plan.yaml"
    place = "      - step: train\n"
    plan.write_text(plan.read_text().replace(place, blocks(page, "yaml")[1] + place, 1))

    (train,) = run(project, mode="train")

    assert [step.name for step in train.steps] == ["input", "clean", "train"]


def test_the_rows_that_are_sent_have_the_columns_of_the_sample(project: Path) -> None:
    code = "".join(blocks("docs/guides/services/http-service.md", "sh"))
    (sent,) = re.findall(r"-d '(.*)'", code)
    with open(project / "sample_data/inference/flowers.csv", newline="") as sample:
        columns = next(csv.reader(sample))

    assert [list(row) for row in json.loads(sent)["rows"]] == [columns]
