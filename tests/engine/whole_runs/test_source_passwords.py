"""Passwords of repositories and indexes are in the plan and nowhere else, whatever is done."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.conftest import write_asset
from tests.sources.repositories import Repository
from tests.sources.wheels import make_wheel

Alo = Callable[..., "subprocess.CompletedProcess[str]"]
SECRET = "s3cr3t"  # noqa: S105 - for a server that asks no one
CODE = """
    import aloleaf
    print("leaf", aloleaf.VERSION)
    Path(self.asset.get_model_path(), "m").write_text("x")
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A web server of all that is in ``served/``, which asks no one who they are."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://me:{SECRET}@127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def home(
    make_solution: Callable[..., Path],
    server: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    monkeypatch.setenv("ALO_CACHE_DIR", str(tmp_path / "cache"))
    repository = Repository(tmp_path / "served/origin")
    asset = write_asset(tmp_path / "draft", "one", CODE)
    requirements = f"--find-links {server}/wheels/\naloleaf\n"
    repository.commit({"asset_one.py": asset.read_text(), "requirements.txt": requirements})
    repository.git("update-server-info")
    make_wheel(tmp_path / "served/wheels", "aloleaf", "1.0")
    wheel = make_wheel(tmp_path / "served/wheels", "aloother", "1.0")
    source = {
        "code": f"{server}/origin/.git",
        "requirements": ["requirements.txt", f"aloother @ {server}/wheels/{wheel.name}"],
    }
    return make_solution({"one": None}, source={"one": source})


def kept_in(*folders: Path) -> list[str]:
    """The files that have the password, but the plan and the code, where the user wrote it."""
    found = []
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in names:
                path = Path(parent, name)
                if path.is_file() and SECRET.encode() in path.read_bytes():
                    found.append(str(path.relative_to(folder)))
    own = ("solution/experimental_plan.yaml", "assets/one/requirements.txt")
    return [name for name in found if not name.endswith(own) and "objects/" not in name]


def test_they_are_reported_and_kept_nowhere(home: Path, alo: Alo, tmp_path: Path) -> None:
    said = ""
    commands = [("check",), ("lock",), ("run",), ("run", "--locked"), ("history", "show")]
    run_id = ""
    for words in [*commands, ("check", "--online"), ("install",), ("history", "rerun")]:
        words = (*words, run_id) if words[0] == "history" else words
        done = alo(*words, cwd=home)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        said += done.stdout + done.stderr
        run_id = next((each.name for each in home.glob("history/train/*")), "")

    assert SECRET not in said
    assert kept_in(home, tmp_path / "cache") == []
    assert "aloother @ http://127.0.0.1:" in (home / "solution/alo.lock").read_text()
    assert "aloleaf" in (home / ".package_list/train_pipeline_step_0.txt").read_text()


def test_a_rerun_makes_its_environment_anew_with_those_of_the_project(home: Path, alo: Alo) -> None:
    assert alo("run", cwd=home).returncode == 0
    (entry,) = home.glob("history/train/*")
    shutil.rmtree(home / ".alo")

    done = alo("history", "rerun", entry.name, cwd=home)

    assert done.returncode == 0, done.stderr
    assert "leaf 1.0" in done.stdout


def test_they_are_not_reported_by_errors(home: Path, alo: Alo, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "served/wheels")
    failed = alo("run", cwd=home)
    shutil.rmtree(tmp_path / "served/origin")
    shutil.rmtree(home / "assets/one")
    shutil.rmtree(tmp_path / "cache")
    lost = alo("run", "--debug", cwd=home)

    assert (failed.returncode, lost.returncode) == (1, 1)
    assert "aloleaf, for step 'one'" in failed.stderr
    assert "cannot be read" in lost.stderr
    assert SECRET not in failed.stdout + failed.stderr + lost.stdout + lost.stderr
    assert kept_in(home) == []
