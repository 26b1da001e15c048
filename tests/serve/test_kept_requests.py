"""The file of requests that clients come back for."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from alo.errors import ServeError
from alo.serve.kept_requests import KeptRequests
from alo.serve.pool import Result

ACCEPT = """
import sys
from pathlib import Path
from alo.serve.kept_requests import KeptRequests
kept = KeptRequests(Path(sys.argv[1]))
for request_id in sys.argv[2:]:
    kept.add(request_id, {"step": {"arg": request_id}})
    if request_id.startswith("running"):
        for _ in range(int(request_id[-1])):
            kept.begin(request_id)
print("accepted", flush=True)
sys.stdin.read()
"""


def service(path: Path, *request_ids: str) -> subprocess.Popen[str]:
    """A process that has accepted these requests, and lives until it is told to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", ACCEPT, str(path), *request_ids],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "accepted\n"
    return process


def test_what_a_service_that_has_ended_had_accepted_is_taken_up_in_order(tmp_path: Path) -> None:
    path = tmp_path / "requests.sqlite"
    ended = service(path, "queued", "running 1", "running 2")
    ended.communicate()

    kept = KeptRequests(path)
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

    kept = KeptRequests(path)
    meanwhile = kept.take_up()
    found = kept.find("running 1")
    running.communicate()
    afterwards = kept.take_up()

    assert meanwhile == []
    assert found
    assert found.status == "running"
    assert [request.id for request in afterwards] == ["queued", "running 1"]
    kept.close()


def test_only_the_newest_results_stay(tmp_path: Path) -> None:
    kept = KeptRequests(tmp_path / "requests.sqlite")
    for number in range(4):
        kept.add(str(number), {})
        if number:
            kept.end(Result(str(number), {"score": 0.5}, ("out.csv",), None, 0.1))

    assert kept.forget_oldest(2) == ["1"]
    assert kept.find("1") is None
    result = kept.find("3")
    assert result
    assert result.result == Result("3", {"score": 0.5}, ("out.csv",), None, 0.1)
    assert kept.find("0")
    kept.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "requests.sqlite"
    path.write_bytes(os.urandom(10_000))

    with pytest.raises(ServeError, match="cannot be read") as caught:
        KeptRequests(path)

    assert caught.value.where == str(path)
    assert "move the file away" in caught.value.fix


def test_a_full_disk_is_an_error_of_the_system(tmp_path: Path) -> None:
    path = tmp_path / "requests.sqlite"
    kept = KeptRequests(path)
    kept._db.execute("PRAGMA max_page_count = 3")

    with pytest.raises(OSError, match="full") as caught:
        kept.add("large", {"step": {"arg": "x" * 1_000_000}})

    assert caught.value.errno == 28
    kept.close()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
