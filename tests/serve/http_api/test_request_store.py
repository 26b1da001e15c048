"""The file of requests that clients come back for."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from alo.errors import ServeError
from alo.layout import Workspace
from alo.mounts import Mount
from alo.serve.folders import lives
from alo.serve.http_api.request_store import RequestStore
from alo.workers.ticket import Result

ACCEPT = """
import sys
from pathlib import Path
from alo.layout import Workspace
from alo.serve.folders import make_folder
from alo.serve.http_api.request_store import RequestStore
folder = make_folder(Workspace(Path(sys.argv[1]).parent), "serve")
kept = RequestStore(Path(sys.argv[1]), folder.name, lambda name: True)
for request_id in sys.argv[2:]:
    kept.add(request_id, {"step": {"arg": request_id}})
    if request_id.startswith("running"):
        for _ in range(int(request_id[-1])):
            kept.begin(request_id)
print("accepted", flush=True)
sys.stdin.read()
"""


def service(path: Path, *request_ids: str, before: Sequence[str] = ()) -> subprocess.Popen[str]:
    """A process that has accepted these requests, and lives until it is asked to end."""
    process = subprocess.Popen(
        [*before, sys.executable, "-c", ACCEPT, str(path), *request_ids],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "accepted\n"
    return process


def kept_requests(path: Path) -> RequestStore:
    """As a service of this process has them."""
    return RequestStore(path, "serve-1", partial(lives, Workspace(path.parent)))


def test_what_a_service_that_has_ended_had_accepted_is_taken_up_in_order(tmp_path: Path) -> None:
    path = tmp_path / "requests.sqlite"
    ended = service(path, "queued", "running 1", "running 2")
    ended.communicate()

    kept = kept_requests(path)
    left = kept.take_up()

    assert [request.id for request in left] == ["queued", "running 1"]
    assert left[0].args == {"step": {"arg": "queued"}}
    given_up = kept.find("running 2")
    assert given_up
    assert given_up.status == "fail"
    assert given_up.result
    assert given_up.result.failure
    assert "died each time" in given_up.result.failure.comment
    kept.close()


def test_what_another_service_has_in_hand_stays_its_own(tmp_path: Path) -> None:
    path = tmp_path / "requests.sqlite"
    running = service(path, "queued", "running 1")

    kept = kept_requests(path)
    meanwhile = kept.take_up()
    found = kept.find("running 1")
    running.communicate()
    afterwards = kept.take_up()

    assert meanwhile == []
    assert found
    assert found.status == "running"
    assert [request.id for request in afterwards] == ["queued", "running 1"]
    kept.close()


def test_a_service_in_another_container_keeps_what_it_has_accepted(
    container: Sequence[str], tmp_path: Path
) -> None:
    path = tmp_path / "requests.sqlite"
    running = service(path, "queued", "running 1", before=container)

    kept = kept_requests(path)

    assert kept.take_up() == []
    running.kill()
    running.communicate()  # until what it has started has ended too
    assert [request.id for request in kept.take_up()] == ["queued", "running 1"]
    assert kept.take_up() == []  # each is given once
    kept.close()


def test_what_a_service_serves_itself_is_not_given_to_it_again(tmp_path: Path) -> None:
    kept = kept_requests(tmp_path / "requests.sqlite")
    kept.add("one", {})

    assert kept.take_up() == []
    kept.end(Result("one", {}, (), None, 0.1))
    kept.close()


def test_two_machines_share_the_file_without_shared_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nfs = Mount("nfs4", frozenset())
    monkeypatch.setattr("alo.serve.http_api.request_store.mount_of", lambda folder: nfs)
    kept = kept_requests(tmp_path / "requests.sqlite")
    kept.add("one", {})

    assert kept.find("one")
    assert os.listdir(tmp_path) == ["requests.sqlite"]  # and no -shm
    kept.close()


def test_only_the_newest_results_stay(tmp_path: Path) -> None:
    kept = kept_requests(tmp_path / "requests.sqlite")
    for number in range(4):
        kept.add(str(number), {})
        if number:
            kept.end(Result(str(number), {"score": 0.5}, ("out.csv",), None, 0.1))

    assert kept.forget_oldest(2, 10**9) == ["1"]
    assert kept.find("1") is None
    result = kept.find("3")
    assert result
    assert result.result == Result("3", {"score": 0.5}, ("out.csv",), None, 0.1)
    assert kept.find("0")
    kept.close()


def test_the_order_is_that_of_the_requests_whatever_the_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = kept_requests(tmp_path / "requests.sqlite")
    for number in range(4):
        monkeypatch.setattr(time, "time", lambda now=1e9 - number: now)  # it is set back
        kept.add(str(number), {})
        kept.end(Result(str(number), {}, (), None, 0.1))

    assert sorted(kept.forget_oldest(2, 10**9)) == ["0", "1"]
    assert kept.find("3")
    kept.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "requests.sqlite"
    path.write_bytes(os.urandom(10_000))

    with pytest.raises(ServeError, match="cannot be read") as caught:
        kept_requests(path)

    assert caught.value.where == str(path)
    assert "move the file away" in caught.value.fix


def test_a_full_disk_is_an_error_of_the_system(tmp_path: Path) -> None:
    path = tmp_path / "requests.sqlite"
    kept = kept_requests(path)
    kept._db.execute("PRAGMA max_page_count = 3")

    with pytest.raises(OSError, match="full") as caught:
        kept.add("large", {"step": {"arg": "x" * 1_000_000}})

    assert caught.value.errno == 28
    kept.close()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_outputs_are_kept_by_their_bytes_too(tmp_path: Path) -> None:
    kept = RequestStore(tmp_path / "x.sqlite", "us", lambda owner: True)
    for name in "abc":
        kept.add(name, {})
        kept.end(Result(name, {}, ("out.csv",), None, 0.1, size=100))

    assert kept.forget_oldest(10, 250) == ["a"]
    assert kept.find("a") is None
    assert kept.find("b") is not None
    kept.close()


def test_the_order_is_that_of_coming_whatever_the_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = RequestStore(tmp_path / "x.sqlite", "us", lambda owner: True)
    for name, now in (("first", 2e9), ("second", 1e9)):  # the clock was set back between them
        monkeypatch.setattr("time.time", lambda now=now: now)
        kept.add(name, {})
        kept.end(Result(name, {}, (), None, 0.1))

    assert kept.forget_oldest(1, 10**9) == ["first"]
    kept.close()
