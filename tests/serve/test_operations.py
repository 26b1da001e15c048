"""What the page for operators names is there, and what is there is named."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from alo.cli.options import parse
from alo.layout import Workspace
from alo.serve.http_api.metrics import Metrics

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/guides/services/operations.md").read_text(encoding="utf-8")
HTTP_PAGE = (ROOT / "docs/guides/services/http-service.md").read_text(encoding="utf-8")
PAGES = sorted(ROOT.glob("docs/guides/**/*.md"))
NO_METRICS = {"alo_status", "alo_fail", "alo_answers", "alo_requests"}  # in Redis
METRIC = re.compile(r"`(alo_[a-z_]+)")
LIMIT = re.compile(r"""limit="([a-z-]+)"|(?:count\w*|_refuse|count)\(\d{3}, "([a-z-]+)\"""")


class NoPool:
    waiting, model_id = 0, "a-run"


def section(page: str, title: str) -> str:
    """The text below a heading."""
    found = re.search(rf"^#+ {re.escape(title)}$(.*?)(?=^#+ |\Z)", page, re.M | re.S)
    assert found, title
    return found[1]


def metrics() -> set[str]:
    """The names that Prometheus sees."""
    pool: Any = NoPool()
    typed = re.findall(
        r"^# TYPE (\w+) ", Metrics(pool, Workspace(Path("nowhere"))).text().decode(), re.M
    )
    return {name for name in typed if not name.endswith("_created")}


def test_each_metric_is_in_the_table_and_each_of_the_table_is_one() -> None:
    rows = [line for line in section(PAGE, "Metrics").splitlines() if line.startswith("| `")]

    assert {METRIC.findall(row)[0] for row in rows} == metrics()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_metric_that_a_page_names_exists(page: Path) -> None:
    assert set(METRIC.findall(page.read_text(encoding="utf-8"))) <= metrics() | NO_METRICS


def test_each_limit_that_is_counted_is_described() -> None:
    sources = "".join(path.read_text() for path in ROOT.glob("src/alo/serve/**/*.py"))
    counted = {one or other for one, other in LIMIT.findall(sources)}
    table = section(HTTP_PAGE, "Limits") + section(PAGE, "Metrics")

    assert {"head", "cells", "token", "not-ready", "descriptors"} <= counted
    assert counted <= set(re.findall("`([a-z-]+)`", table))
    named = set(re.findall(r'alo_refused_total\{limit="([a-z-]+)"', PAGE))
    assert named <= counted


def test_the_unit_and_the_container_start_what_the_command_line_takes() -> None:
    (unit,) = re.findall(r"^ExecStart=\S+/alo (.*)$", PAGE, re.M)
    (container,) = re.findall(r"^CMD (\[.*\])$", PAGE, re.M)
    (loop,) = re.findall(r"`ExecStart` is `alo (.*?)`", PAGE)

    for words in (shlex.split(unit), json.loads(container)[1:], shlex.split(loop)):
        assert parse(words[0], "Of a page.", words[1:])
