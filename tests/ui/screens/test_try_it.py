"""``/try``: rows, tables and files are answered by a service that runs, or by a worker."""

from __future__ import annotations

import base64
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.serve.http_api.test_app import SECRET, Service
from tests.support.waiting import end_all

from alo.layout import find_plan
from alo.ui.studio import Studio

from ..conftest import TOKEN, Browse, MakeStudio

OWN = {"Origin": "http://127.0.0.1:8811"}
INFER = """\
from pathlib import Path
files = sorted(each for each in Path(self.asset.get_input_path()).rglob("*") if each.is_file())
if self.args.get("x") == 13:
    raise ValueError("thirteen")
Path(self.asset.get_output_path(), "out.csv").write_bytes(files[0].read_bytes())
self.asset.save_summary(result=files[0].name, score=0.5, probability={"a": 0.25, "b": 0.75})
"""


@pytest.fixture
def home(make_solution: Callable[..., Path]) -> Path:
    home = make_solution(
        inference={"infer": INFER},
        args={"infer": {"x": 5}},
        beside={"infer": {"ui_args": ["x"]}},
    )
    (home / "input/inference/d").mkdir(parents=True)
    (home / "input/inference/d/a.csv").write_text("n,<b>\n1,x\n")
    return home


@pytest.fixture
def serve(home: Path) -> Iterator[Callable[..., Service]]:
    running: list[Service] = []

    def start(**options: Any) -> Service:
        running.append(Service(home, **options))
        return running[-1]

    yield start
    for service in running:
        service.client.close()
    end_all(*(service.process for service in running))


def send(client: httpx.Client, **body: Any) -> httpx.Response:
    return client.post("/try", json=body, headers=OWN)


def test_the_screen_has_the_real_columns_and_the_args(client: httpx.Client) -> None:
    content = client.get("/try.json").json()
    page = client.get("/try").text

    assert content["input"]["columns"] == [
        {"name": "n", "type": "integer"},
        {"name": "<b>", "type": "string"},
    ]
    assert content["args"]["properties"]["infer"]["properties"]["x"] == {"default": 5}
    assert content["services"] == []
    assert "<b></th>" not in page
    assert "&lt;b&gt;</th>" in page


def test_a_worker_of_the_studio_answers_where_no_service_runs(
    client: httpx.Client, studio: Studio
) -> None:
    rows = send(client, rows=[{"n": 1.5, "t": "x"}]).json()
    table = send(client, csv="n\n1\n").json()
    content = base64.b64encode("한글".encode()).decode()
    files = send(client, files=[{"name": "가 나.txt", "content": content}]).json()

    assert [each["status"] for each in (rows, table, files)] == ["success"] * 3
    assert rows["service"] == "worker"
    assert rows["summary"]["probability"] == {"a": 0.25, "b": 0.75}
    assert files["summary"]["result"] == "가 나.txt"
    (output,) = rows["outputs"]
    fetched = client.get(output["url"])
    assert fetched.content == b"n,t\r\n1.5,x\r\n"
    assert fetched.headers["content-disposition"].startswith("attachment")
    assert client.get(files["outputs"][0]["url"]).text == "한글"
    changes = studio.audit.changes()
    assert [(each.act, each.target) for each in changes][-1] == ("try", rows["id"])
    assert client.get("/try.json").json()["services"] == []


def test_a_worker_that_is_killed_is_replaced(client: httpx.Client, studio: Studio) -> None:
    own = studio.try_out._own
    assert send(client, csv="n\n1\n").json()["status"] == "success"
    first = own.pid
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)

    assert send(client, csv="n\n1\n").json()["status"] == "success"
    assert own.pid not in (0, first)


def test_what_a_step_raises_is_the_answer(client: httpx.Client) -> None:
    answer = send(client, csv="n\n1\n", args={"infer": {"x": 13}})

    assert answer.status_code == 200
    assert answer.json()["status"] == "fail"
    assert "ValueError: thirteen" in answer.json()["error"]["traceback"]


def test_a_form_without_scripts_is_answered_by_a_page(client: httpx.Client) -> None:
    form = {"csv": "n\n1\n", "args.infer.x": "7"}

    page = client.post("/try", data=form, headers=OWN)

    assert page.headers["content-type"].startswith("text/html")
    assert 'data-state="success"' in page.text
    assert "data.csv" in page.text


def test_a_service_that_runs_answers_and_is_followed_by_the_worker(
    client: httpx.Client, serve: Callable[..., Service]
) -> None:
    service = serve()
    (listed,) = client.get("/try.json").json()["services"]
    assert listed["url"] == service.url
    assert send(client, csv="n\n1\n").json()["service"] == listed["name"]

    service.end(signal.SIGKILL)

    assert send(client, csv="n\n1\n", service=listed["name"]).status_code == 404
    assert send(client, csv="n\n1\n").json()["service"] == "worker"


def test_a_service_with_a_token_wants_it(
    client: httpx.Client, serve: Callable[..., Service]
) -> None:
    serve(token=SECRET)
    (listed,) = client.get("/try.json").json()["services"]
    name = listed["name"]
    assert listed["wants_token"]
    assert SECRET not in client.get("/try").text

    without = send(client, csv="n\n1\n", service=name)
    given = send(client, csv="n\n1\n", service=name, token=SECRET).json()

    assert without.status_code == 422
    assert without.json()["fields"][0]["field"] == "token"
    assert given["service"] == name
    assert client.get(given["outputs"][0]["url"]).text == "n\n1\n"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "rows"),
        ({"csv": ""}, 422, "rows"),
        ({"csv": "a\n", "rows": [{"a": 1}]}, 422, "rows"),
        ({"rows": "x"}, 422, "rows"),
        ({"csv": 1}, 422, "csv"),
        ({"files": [1]}, 422, "files"),
        ({"files": [{"name": "../x", "content": ""}]}, 422, "files"),
        ({"files": [{"name": "x", "content": "?"}]}, 422, "files"),
        ({"csv": "a\n1\n", "args": {"infer": {"other": 1}}}, 422, "args.infer.other"),
        ({"csv": "a\n1\n", "args": []}, 422, "args"),
        ({"csv": "a\n1\n", "service": "serve-nobody"}, 404, None),
    ],
)
def test_what_cannot_be_sent_is_refused_and_starts_nothing(
    client: httpx.Client, body: dict[str, Any], status: int, field: str | None
) -> None:
    answer = send(client, **body)

    assert answer.status_code == status
    assert [each["field"] for each in answer.json()["fields"]] == ([field] if field else [])


def test_only_operators_try_and_only_they_send_much(
    make_studio: MakeStudio, browse: Browse
) -> None:
    studio = make_studio()
    client = browse(studio)
    studio.people.add("vi", "viewer", "long enough")
    viewer = {"Authorization": f"Bearer {studio.people.add_token('t', 'viewer', 'vi')}"}
    owner = {"Authorization": f"Bearer {TOKEN}"}
    much = {"csv": "x" * 2_000_000, "service": "serve-nobody"}

    assert client.get("/try", headers=viewer).status_code == 403
    assert client.post("/try", json={"csv": "a\n1\n"}, headers=viewer).status_code == 403
    assert client.post("/try", json=much, headers=viewer).status_code == 413
    assert client.post("/try", json=much, headers=owner).status_code == 404
    foreign = {**OWN, "Origin": "http://evil.example"}
    assert client.post("/try", json=much, headers={**owner, **foreign}).status_code == 403


def test_a_plan_without_inference_says_so(client: httpx.Client, home: Path) -> None:
    path = find_plan(home)
    plan = json.loads(path.read_text())
    steps = plan["user_parameters"].pop("inference_pipeline")
    plan["user_parameters"]["train_pipeline"] = steps
    path.write_text(json.dumps(plan))

    answer = client.get("/try.json")

    assert answer.status_code == 409
    assert "inference_pipeline" in answer.json()["error"]["what"]
