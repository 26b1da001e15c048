"""``/openapi.json`` describes all that the studio answers, and nothing that fits it is a fault."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.review.conftest import create_review

from alo.events.types import Event
from alo.ui.routing.openapi import data_path
from alo.ui.routing.routes import ROUTES
from alo.ui.studio import Studio

from ..conftest import TOKEN, Browse, MakeStudio

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


@pytest.fixture
def described(client: httpx.Client) -> Any:
    return client.get("/openapi.json").json()


def test_every_route_is_described_with_its_role_and_errors(described: Any) -> None:
    for route in ROUTES:
        operation = described["paths"][data_path(route)][route.method.lower()]
        assert operation["summary"] == route.summary
        assert {"200", "201", "202"} & operation["responses"].keys()
        assert ("security" in operation) == bool(route.role)
        assert ("401" in operation["responses"]) >= bool(route.role)
        assert ("requestBody" in operation) == (route.method == "POST")
    assert sum(len(each) for each in described["paths"].values()) == len(ROUTES)


def test_each_operation_has_a_name_of_its_own(described: Any) -> None:
    names = [one["operationId"] for each in described["paths"].values() for one in each.values()]

    assert len(names) == len(set(names))


def test_the_keys_that_a_page_takes_are_those_that_are_described(
    client: httpx.Client, studio: Studio, described: Any, runs: dict[str, str]
) -> None:
    create_review(studio.database)
    names = {"id": runs["train"], "path": "experimental_plan.yaml", "name": "patients"}
    names |= {"run": runs["train"], "version": "v1", "other": "v2"}
    for path, methods in described["paths"].items():
        if "get" not in methods or path.startswith("/jobs/{id}"):
            continue
        answer = client.get(path.format(**names) + "?nonsense=1", params={"nonsense": "1"})
        said = re.search(r"there are (.*?)[\"<]", answer.text)
        assert said, (path, answer.text)
        known = {part["name"] for part in methods["get"]["parameters"] if part["in"] == "query"}
        taken = set(said[1].split(", ")) - {"none"}
        if path.endswith("/files/{path}"):  # each kind of file has its own
            assert known >= taken
        else:
            assert known - {"format", "for"} == taken, path


def test_who_has_not_signed_in_is_reported_nothing(make_studio: MakeStudio, browse: Browse) -> None:
    assert browse(make_studio()).get("/openapi.json").status_code == 401


def test_schemathesis_finds_no_fault(
    make_studio: MakeStudio,
    browse: Browse,
    run: Callable[..., object],
    home: Path,
    tmp_path: Path,
    listener: list[Event],
) -> None:
    run(home)
    studio = make_studio()
    client = browse(studio)
    client.get(f"/?token={TOKEN}")
    found = client.get("/openapi.json").json()
    del found["paths"]["/events"]  # has no end; nothing starts the jobs that /runs queues
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(found))
    command = [str(Path(sys.executable).parent / "schemathesis"), "run", "--no-color"]
    command += ["--max-examples", "5", "--checks", ",".join(CHECKS), "--seed", "1"]
    command += ["--phases", "examples,fuzzing", "-H", f"Authorization: Bearer {TOKEN}"]
    command += ["-H", "Host: 127.0.0.1", "--url", str(client.base_url), str(file)]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "a fault in ALO" not in str(listener)
