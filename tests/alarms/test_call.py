"""One call: a command that is well, hangs, fails, is missing; a URL that answers, and how."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from alo.alarms.call import USUAL, Called, Limits, call, command_fault, signature
from alo.alarms.ledger import Crossing
from alo.plan.model import Alarm

from ..support.waiting import wait_until
from .conftest import Receiver

CROSSING = Crossing("id1", "score_below", "raised", 0.24, 0.2, 50, "churn", "2026-01-01T00:00:00Z")
BODY = {
    "id": "id1",
    "alarm": "score_below",
    "state": "raised",
    "value": 0.24,
    "limit": 0.2,
    "count": 50,
    "project": "churn",
    "time": "2026-01-01T00:00:00Z",
}
SHORT = Limits(1.0, 1.0)


def write_command(home: Path, text: str) -> Alarm:
    path = home / "notify.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return Alarm(0.5, command="./notify.sh 'two words' $HOME")


def is_gone(home: Path) -> bool:
    """Whether the process has ended whose number is in the file ``pid``."""
    pid = int((home / "pid").read_text())
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def run(alarm: Alarm, home: Path, limits: Limits = USUAL) -> Called:
    return call(CROSSING, alarm, home, "", limits)


def test_a_command_gets_the_json_in_the_projects_folder_and_no_shell(tmp_path: Path) -> None:
    alarm = write_command(tmp_path, 'cat > got; pwd > where; printf "%s|" "$@" > words')

    assert run(alarm, tmp_path) == Called()

    assert json.loads((tmp_path / "got").read_text()) == BODY
    assert (tmp_path / "where").read_text().strip() == str(tmp_path)
    assert (tmp_path / "words").read_text() == "two words|$HOME|"


def test_a_command_need_not_read_what_it_is_given(tmp_path: Path) -> None:
    assert run(write_command(tmp_path, "exec <&-"), tmp_path) == Called()


def test_a_command_that_fails_says_why_and_is_not_tried_again(tmp_path: Path) -> None:
    called = run(write_command(tmp_path, "echo no mail here >&2; exit 3"), tmp_path)

    assert called == Called("it ended with status 3: no mail here")


def test_what_a_command_says_is_bounded(tmp_path: Path) -> None:
    called = run(write_command(tmp_path, "yes | head -c 1000000 >&2; exit 1"), tmp_path)

    assert len(called.fault) < 400


def test_a_command_that_hangs_is_ended_with_all_that_it_has_started(tmp_path: Path) -> None:
    alarm = write_command(tmp_path, "sleep 600 & echo $! > pid; wait")

    called = run(alarm, tmp_path, SHORT)

    assert called == Called("it was ended after 1 s")
    wait_until(lambda: is_gone(tmp_path))


CALLING = """\
import sys
from pathlib import Path
from alo.alarms.call import USUAL, call
from alo.alarms.ledger import Crossing
from alo.plan.model import Alarm

crossing = Crossing("id1", "failures", "raised", 1.0, 1.0, 1, "churn", "")
call(crossing, Alarm(command="./notify.sh"), Path(sys.argv[1]), "", USUAL)
"""


def test_a_command_does_not_outlive_a_service_that_is_killed(tmp_path: Path) -> None:
    write_command(tmp_path, "sleep 600 & echo $! > pid.new; mv pid.new pid; wait")
    service = subprocess.Popen([sys.executable, "-c", CALLING, str(tmp_path)])
    try:
        wait_until((tmp_path / "pid").exists)
    finally:
        service.kill()
        service.wait()

    wait_until(lambda: is_gone(tmp_path))


def test_what_a_command_leaves_running_holds_no_one_up(tmp_path: Path) -> None:
    assert (
        run(write_command(tmp_path, "sleep 600 2>&1 & echo $! > pid; exit 0"), tmp_path) == Called()
    )

    os.kill(int((tmp_path / "pid").read_text()), 9)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("./missing.sh", "No such file or directory"),
        ("no-such-program-anywhere", "No such file or directory"),
        ("./plain.txt", "Permission denied"),
    ],
)
def test_a_command_that_cannot_be_started_says_why(tmp_path: Path, command: str, why: str) -> None:
    (tmp_path / "plain.txt").write_text("text")

    assert run(Alarm(0.5, command=command), tmp_path) == Called(f"it cannot be started: {why}")
    assert command_fault(command, tmp_path)


def test_nothing_is_known_against_a_command_that_is_there(tmp_path: Path) -> None:
    alarm = write_command(tmp_path, "true")

    assert command_fault(alarm.command, tmp_path) == ""
    assert command_fault("sh -c true", tmp_path) == ""


def test_a_url_is_posted_the_json_signed_with_the_secret(
    tmp_path: Path, receiver: Receiver
) -> None:
    alarm = Alarm(0.5, url=f"{receiver.url}/hook?a=b")

    assert call(CROSSING, alarm, tmp_path, "s3cret", USUAL) == Called()

    (got,) = receiver.received
    assert got.path == "/hook?a=b"
    assert got.body == BODY
    assert got.headers["Content-Type"] == "application/json"
    expected = hmac.new(b"s3cret", got.raw, hashlib.sha256).hexdigest()
    assert got.headers["X-Alo-Signature"] == f"sha256={expected}"


def test_a_secret_may_be_of_any_bytes() -> None:
    expected = hmac.new(b"\xff", b"body", hashlib.sha256).hexdigest()

    assert signature(b"body", os.fsdecode(b"\xff")) == f"sha256={expected}"


def test_without_a_secret_nothing_is_signed(tmp_path: Path, receiver: Receiver) -> None:
    run(Alarm(0.5, url=receiver.url), tmp_path)

    assert "X-Alo-Signature" not in receiver.received[0].headers


@pytest.mark.parametrize(
    ("status", "is_passing"),
    [(500, True), (503, True), (400, False), (404, False), (302, False), (307, False)],
)
def test_a_refusal_is_reported_and_only_a_fault_of_the_server_passes(
    tmp_path: Path, receiver: Receiver, status: int, is_passing: bool
) -> None:
    receiver.answers = [status]

    called = run(Alarm(0.5, url=receiver.url), tmp_path)

    assert called.fault.startswith(f"it answered {status}")
    assert called.is_passing == is_passing
    assert len(receiver.received) == 1


def test_a_port_at_which_no_one_listens_may_come_back(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        called = run(Alarm(0.5, url=f"http://127.0.0.1:{taken.getsockname()[1]}"), tmp_path)

    assert "refused" in called.fault
    assert called.is_passing


def test_an_answer_that_comes_byte_by_byte_is_not_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                while not ended.wait(0.1):
                    connection.sendall(b"H")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"

        assert run(Alarm(0.5, url=url), tmp_path, SHORT) == Called("no answer within 1 s", True)
        ended.set()
        thread.join()
