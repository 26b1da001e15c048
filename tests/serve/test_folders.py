"""Services of one project in containers: each is process 1 of its own, the folder is shared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from alo.errors import ServeError
from alo.files import remove_tree
from alo.layout import Workspace
from alo.serve import folders as service_folders
from alo.serve.folders import lives, make_folder, names_of_live

from ..support.waiting import PATIENCE_S, end_all, wait_for_text, wait_until
from .conftest import Edge, RunningLoop

MakeSolution = Callable[..., Path]
Run = Callable[..., Any]
STEP = """
    import time
    file = next(Path(self.asset.get_input_path()).rglob("*.csv"))
    mine = file.read_text().split()[-1]
    time.sleep(0.1 if mine.startswith("n") else 600)
    Path(self.asset.get_output_path(), "output.csv").write_text("id\\n" + mine + "\\n")
    self.asset.save_summary(mine, 0.5)
"""


@pytest.fixture
def home(make_solution: MakeSolution) -> Path:
    """A solution whose result is what its data says; that of "stay" never comes."""
    return make_solution(inference={"inference": STEP}, control={"backup_artifacts": False})


def folders(home: Path) -> list[str]:
    return [path.name for path in (home / ".alo/serve").iterdir() if path.is_dir()]


def data(home: Path, word: str) -> str:
    folder = home.parent / "requests" / word
    folder.mkdir(parents=True)
    (folder / "x.csv").write_text(f"id\n{word}\n")
    return f"{folder}/"


class HttpService:
    """``alo serve`` in a container."""

    def __init__(self, home: Path, container: Sequence[str]) -> None:
        self.log = home.parent / f"serve-{os.urandom(3).hex()}.log"
        command = [*container, sys.executable, "-m", "alo.cli.main", "serve", "--port", "0"]
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command, cwd=home, stdout=log, stderr=log)
        try:
            self.url = wait_for_text(r"serving at (\S+),", self.log, self.process)[1]
        except AssertionError:  # no one else would end it
            end_all(self.process)
            raise

    def ask(self, word: str) -> str:
        content = {"rows": [{"id": word}]}
        answer = httpx.post(f"{self.url}/v1/inference", json=content, timeout=PATIENCE_S)
        assert answer.status_code == 200, answer.text
        url = answer.json()["outputs"][0]["url"]
        return httpx.get(f"{self.url}{url}", timeout=PATIENCE_S).text.split()[-1]


@pytest.fixture
def services(home: Path, container: Sequence[str]) -> Iterator[list[HttpService]]:
    """Two of one project."""
    running: list[HttpService] = []
    try:
        for _ in range(2):
            running.append(HttpService(home, container))
        yield running
    finally:
        end_all(*(one.process for one in running))


def test_two_services_never_see_each_others_requests(
    home: Path, services: list[HttpService]
) -> None:
    assert len(folders(home)) == 2
    words = [f"n{number}" for number in range(12)]

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(services[n % 2].ask, word) for n, word in enumerate(words)]

    assert [each.result() for each in asked] == words


def test_two_loops_never_see_each_others_requests(
    home: Path, loop: Callable[..., RunningLoop], edge: Edge, container: Sequence[str]
) -> None:
    for _ in range(2):
        loop(home, before=container)
    assert len(folders(home)) == 2
    words = [f"n{number}" for number in range(12)]
    exports = home.parent / "exports"
    for word in words:
        edge.send(dataset_uri=[data(home, word)], artifact_uri=f"{exports / word}/")

    answers = [edge.answers() for _ in words]

    assert sorted(summary["message"]["result"] for summary, _ in answers) == sorted(words)
    for word in words:
        with tarfile.open(exports / word / "inference_artifacts.tar.gz") as archive:
            member = archive.extractfile("output/output.csv")
            assert member is not None
            assert member.read().split()[-1].decode() == word


def test_loops_of_other_containers_are_known_and_a_killed_one_at_once(
    home: Path,
    loop: Callable[..., RunningLoop],
    edge: Edge,
    container: Sequence[str],
    alo: Run,
) -> None:
    first = loop(home, before=container)
    edge.send(dataset_uri=[data(home, "stay")])
    edge.wait_until_taken()
    (key,) = edge.redis.scan_iter("request_inference:processing:*")
    dead = key.decode().rpartition(":")[2].removesuffix("-0")
    second = loop(home, before=container)

    reported = json.loads(alo("loop", "status", "--json", cwd=home).stdout)
    assert [(each["pid"], each["status"]) for each in reported] == [(1, "serving")] * 2
    assert len({each["name"] for each in reported}) == 2
    edge.send(dataset_uri=[data(home, "n1")])
    assert edge.answers()[0]["message"]["result"] == "n1"  # of the second; the first has its own

    first.process.kill()
    first.process.wait()
    (heir,) = {each["name"] for each in reported} - {dead}
    wait_until(lambda: edge.redis.exists(f"request_inference:processing:{heir}-0"))
    (now,) = json.loads(alo("loop", "status", "--json", cwd=home).stdout)

    assert now["status"] == "serving"
    second.process.kill()
    second.process.wait()
    assert alo("loop", "status", cwd=home).returncode == 1
    assert "no loop of this project runs" in alo("loop", "status", cwd=home).stdout


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def test_copies_of_models_go_but_for_the_one_in_use(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/m").write_text("a")
    folder = make_folder(Workspace(tmp_path), "serve")
    first, second = folder.pin(tmp_path / "models"), folder.pin(tmp_path / "none")

    folder.unpin(but=first)

    assert (first / "m").read_text() == "a"
    assert not second.exists()
    folder.remove()


def test_a_service_whose_folders_were_deleted_still_counts_as_running(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    folder = make_folder(workspace, "serve")
    remove_tree(workspace.internal)
    assert not lives(workspace, folder.name)
    open_files = len(os.listdir("/proc/self/fd"))

    for _ in range(2):  # the second time, all of it is there
        folder.restore()

    assert len(os.listdir("/proc/self/fd")) == open_files
    assert lives(workspace, folder.name)
    assert folder.path.is_dir()
    assert list(names_of_live(workspace, "serve")) == [folder.name]
    assert list(names_of_live(workspace, "loop")) == []
    folder.remove()
    assert not lives(workspace, folder.name)


def test_a_project_whose_folder_goes_while_a_service_starts_is_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_folders, "take", lambda path, what: None)

    with pytest.raises(ServeError, match="was deleted just now"):
        make_folder(Workspace(tmp_path), "serve")


def test_the_leftovers_of_a_service_without_a_claim_are_removed(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    left = workspace.internal / "serve" / "serve-00ff00"
    left.mkdir(parents=True)

    make_folder(workspace, "serve").remove()

    assert not left.exists()
