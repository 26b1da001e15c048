"""Fixtures for tests that run whole solutions: a project made of a few lines, and its run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from alo.database.connection import Database
from alo.database.opening import open_database as open_database_of
from alo.engine.request import RunOutcome, RunRequest
from alo.engine.run import run_solution
from alo.events.types import Event
from alo.layout import Workspace

from .support.postgres_server import PostgresServer
from .support.waiting import PATIENCE_S

# A hang ends with the name of its test, wherever pytest-timeout is installed.
os.environ.setdefault("PYTEST_TIMEOUT", "300")

# Tests interrupt what they start, also where they run in the background of a shell, or by nohup.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# A busy machine is no failure of the code under test.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

ASSET = """\
from pathlib import Path

from alolib.asset import Asset


class UserAsset(Asset):
    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.args = self.asset.load_args()
        self.config = self.asset.load_config()
        self.data = {} if self.config["meta"]["step_number"] == 0 else self.asset.load_data()

    @Asset.decorator_run
    def run(self):
{body}
        self.asset.save_data(self.data)
        self.asset.save_config(self.config)
"""

NOBODY = 65534  # a user who owns nothing

MakeSolution = Callable[..., Path]


def write_asset(home: Path, step: str, code: str) -> Path:
    """An asset whose ``run`` does ``code``, or that is ``code`` where it has a class of its own."""
    path = home / "assets" / step / f"asset_{step}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    code = dedent(code)
    is_whole = "UserAsset" in code or code.startswith("#")
    path.write_text(code if is_whole else ASSET.replace("{body}", indent(code or "pass", " " * 8)))
    return path


def write_solution(
    home: Path,
    train: Mapping[str, str | None] | None = None,
    inference: Mapping[str, str | None] | None = None,
    *,
    args: Mapping[str, Mapping[str, object]] | None = None,
    beside: Mapping[str, Mapping[str, object]] | None = None,
    source: Mapping[str, Mapping[str, object]] | None = None,
    control: Mapping[str, object] | None = None,
    external: Mapping[str, object] | None = None,
    name: str = "test",
) -> Path:
    """A project made of the code of its steps, as ``make_solution`` takes it."""
    plan: dict[str, Any] = {"name": name, "user_parameters": {}}
    for kind, steps in (("train", train), ("inference", inference)):
        if steps is not None:
            plan["user_parameters"][f"{kind}_pipeline"] = [
                {
                    "step": step,
                    "args": dict((args or {}).get(step, {})),
                    **(beside or {}).get(step, {}),
                }
                for step in steps
            ]
            if source is not None:
                plan.setdefault("asset_source", {})[f"{kind}_pipeline"] = [
                    {"step": step, "source": dict(source.get(step, {}))} for step in steps
                ]
            for step, code in steps.items():
                if code is not None:
                    write_asset(home, step, code)
    if control:
        plan["control"] = dict(control)
    if external:
        plan["external_path"] = dict(external)
    (home / "solution").mkdir(parents=True, exist_ok=True)
    # JSON is YAML too
    (home / "solution" / "experimental_plan.yaml").write_text(json.dumps(plan, indent=1))
    return home


@pytest.fixture
def make_solution(tmp_path: Path) -> MakeSolution:
    """Call it with the code of the steps; returns the project's folder.

    ``make_solution({"input": "self.data['x'] = 1", ...}, inference={...}, args={step: {...}},
    beside={step: {"retries": 1}}, source={step: {"code": ...}}, control={...}, external={...})``.
    A code is the body of ``run()``, a whole module, or None: there is no asset.
    """

    def make(
        *steps: Mapping[str, str | None] | None, home: Path | None = None, **given: Any
    ) -> Path:
        return write_solution(home or tmp_path / "project", *steps, **given)

    return make


class Heard(list[Event]):
    """A listener that remembers."""

    def __call__(self, event: Event) -> None:
        self.append(event)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self if isinstance(event, kind)]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def run(heard: Heard) -> Callable[..., tuple[RunOutcome, ...]]:
    """``run(home, mode="train", ...)``: run in this process, ``heard`` listens."""

    def run_it(home: Path, mode: str = "all", **options: Any) -> tuple[RunOutcome, ...]:
        return run_solution(RunRequest(home, mode=mode, **options), heard)

    return run_it


@pytest.fixture(autouse=True)
def _imports_as_before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever a test imports from its files or puts on the path, the next one does not see it."""
    modules, path, hooks = dict(sys.modules), list(sys.path), list(sys.path_hooks)
    yield
    of_tests = str(tmp_path_factory.getbasetemp())
    for name in sys.modules.keys() - modules.keys():
        module = sys.modules[name]
        places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
        if any(str(place).startswith(of_tests) for place in places):
            del sys.modules[name]
    sys.modules.update(modules)
    sys.path[:], sys.path_hooks[:] = path, hooks


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """``mount(folder, "-t", "tmpfs", "tmpfs")``: a file system there, for this test; or a skip."""
    mounted: list[tuple[Path, bool]] = []

    def mount_it(folder: Path, *what: str, lazily: bool = False) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        command = ["mount", *what, str(folder)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("nothing can be mounted here: that needs root, and the right to")
        mounted.append((folder, lazily))
        return folder

    yield mount_it
    for folder, lazily in reversed(mounted):
        options = ["--lazy"] if lazily else []
        subprocess.run(["umount", *options, str(folder)], check=True)


@pytest.fixture(params=["another disk", "a folder of the same disk"])
def put_volume(
    request: pytest.FixtureRequest, tmp_path: Path, mount: Callable[..., Path]
) -> Callable[[Path], Path]:
    """``put_volume(folder)``: mount something there that has the file ``theirs``."""

    def make(folder: Path) -> Path:
        if request.param == "another disk":
            mount(folder, "-t", "tmpfs", "tmpfs", lazily=True)
        else:
            source = tmp_path / f"volume-{os.urandom(4).hex()}"
            source.mkdir()
            mount(folder, "--bind", str(source), lazily=True)
        (folder / "theirs").write_text("theirs")
        return folder

    return make


@pytest.fixture
def small_disk(tmp_path: Path, mount: Callable[..., Path]) -> Callable[..., Path]:
    """``small_disk(24)``: the folder of a disk of so many MB; only root can have one.

    With ``lazily=True`` it also goes while a process still has something open on it.
    """

    def make(megabytes: int, *, lazily: bool = False) -> Path:
        options = ("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs")
        return mount(tmp_path / "disk", *options, lazily=lazily)

    return make


@pytest.fixture
def as_another_user() -> Iterator[Callable[[Callable[[Path], object]], None]]:
    """``as_another_user(act)``: ``act(folder)`` in a process of a user who is not root, to whom the
    folder belongs; an exception fails the test."""
    if os.getuid():
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chown(folder, NOBODY, NOBODY)

        def act_so(act: Callable[[Path], object]) -> None:
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    os.setgroups([])
                    os.setgid(NOBODY)
                    os.setuid(NOBODY)
                    act(folder)
                    status = 0
                except BaseException:
                    traceback.print_exc()
                finally:
                    os._exit(status)
            assert os.waitpid(child, 0)[1] == 0

        yield act_so


@pytest.fixture
def alo(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``alo("run", "--mode", "train", cwd=home)``: the command line in a process of its own."""

    def call(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        options.setdefault("cwd", tmp_path)
        command = [sys.executable, "-m", "alo.cli.main", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, **options
        )

    return call


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server; the test is skipped where there is none."""
    server = PostgresServer()
    yield server
    server.remove()


OpenDatabase = Callable[[], Database]


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Of a database of its own; empty: that in the project's folder."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres").new_database())
    return ""


@pytest.fixture
def open_database(database_url: str, tmp_path: Path) -> Iterator[OpenDatabase]:
    """``open_database()``: the same database of people's making, opened once more."""
    made: list[Database] = []

    def open_it() -> Database:
        made.append(open_database_of(Workspace(tmp_path), database_url))
        return made[-1]

    yield open_it
    for each in made:
        each.close()
