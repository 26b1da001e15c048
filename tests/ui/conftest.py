"""Fixtures for the studio: a project with runs, and its studio in this process."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from tests.support.waiting import PATIENCE_S

from alo.database.opening import open_database as open_database_of
from alo.engine.request import RunOutcome
from alo.events.types import Event
from alo.layout import Workspace, find_plan
from alo.ui.access.people import People
from alo.ui.access.sign_in import SignIn
from alo.ui.app import Application
from alo.ui.settings import Settings
from alo.ui.studio import Studio

TOKEN = "the-token-of-these-tests"  # noqa: S105
BODY = """\
x = self.args.get("x", 1)
print("depth", x)
if x == 13:
    raise ValueError("thirteen")
if step == "infer":
    path, text = f"{self.asset.get_output_path()}/output.csv", "a,b\\n1,2\\n"
else:
    path, text = f"{self.asset.get_report_path()}/report.html", "<script>alert(1)</script>"
with open(path, "w") as file:
    file.write(text)
self.asset.save_summary(result="ok", score=min(1.0, x / 10), note="n")
"""


@pytest.fixture
def home(make_solution: Callable[..., Path]) -> Path:
    """A project of one train step and one inference step; ``train.x`` can be set, from 1 to 99."""
    home = make_solution(
        train={"train": BODY.replace("step", "'train'")},
        inference={"infer": BODY.replace("step", "'infer'")},
        args={"train": {"x": 5, "kind": "a"}},
        beside={"train": {"ui_args": ["x", "kind", "free"]}},
    )
    path = find_plan(home)
    plan = json.loads(path.read_text())
    details = [
        {"name": "x", "type": "int", "default": 5, "range": [1, 99], "description": "how deep"},
        {"name": "kind", "type": "single_selection", "selectable": ["a", "b"], "default": "a"},
    ]
    plan["ui_args_detail"] = [{"train_pipeline": [{"step": "train", "args": details}]}]
    path.write_text(json.dumps(plan))
    return home


@pytest.fixture
def listener() -> list[Event]:
    """What the studio reports of itself."""
    return []


MakeStudio = Callable[..., Studio]


@pytest.fixture
def make_studio(home: Path) -> Iterator[MakeStudio]:
    """``make_studio(needs_sign_in=False)``: a studio of the project."""
    made: list[Studio] = []

    def make(**settings: Any) -> Studio:
        given = Settings(**{"token": TOKEN, **settings})
        workspace = Workspace(home)
        database = open_database_of(workspace, given.database_url)
        made.append(Studio(workspace, database, given, SignIn(People(database), given.token)))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def studio(make_studio: MakeStudio) -> Studio:
    return make_studio(needs_sign_in=False)


Browse = Callable[[Studio], httpx.Client]


@pytest.fixture
def browse(listener: list[Event]) -> Iterator[Browse]:
    """``browse(studio)``: a browser at a server of the studio, to which that is port 8811."""
    with ExitStack() as opened:

        def browse_it(studio: Studio) -> httpx.Client:
            config = uvicorn.Config(
                Application(studio, listener.append), log_config=None, lifespan="off"
            )
            server = uvicorn.Server(config)
            listening = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
            thread = threading.Thread(target=server.run, args=([listening],))
            thread.start()

            def stop() -> None:
                server.should_exit = server.force_exit = True
                thread.join()

            opened.callback(stop)
            port = listening.getsockname()[1]
            headers = {"Host": "127.0.0.1:8811"}
            client = httpx.Client(
                base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=PATIENCE_S
            )
            return opened.enter_context(client)

        yield browse_it


@pytest.fixture
def client(browse: Browse, studio: Studio) -> httpx.Client:
    """A browser that needs no sign-in."""
    return browse(studio)


@pytest.fixture
def runs(run: Callable[..., tuple[RunOutcome, ...]], home: Path) -> dict[str, str]:
    """Pipeline → the id of its run."""
    return {each.pipeline: each.run_id for each in run(home)}
