"""``alo ui`` as a process: what it prints, and when it refuses to start."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.waiting import PATIENCE_S, end_all, wait_until

from alo.ui.server import CONNECTIONS

Alo = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def started(home: Path) -> Iterator[dict[str, Any]]:
    """What ``alo ui --json`` says of a studio that needs no sign-in."""
    command = [sys.executable, "-m", "alo.cli.main", "ui", "--port", "0", "--json", "--no-sign-in"]
    with subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            end_all(process)


def test_it_prints_where_it_is_once_it_listens_and_ends_by_a_signal(home: Path) -> None:
    command = [sys.executable, "-m", "alo.cli.main", "ui", "--port", "0", "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=home, **pipes) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        started = json.loads(process.stdout.readline())
        try:
            assert started["pid"] == process.pid
            first = httpx.get(started["url"])
            assert (first.status_code, first.headers["location"]) == (303, "/")
            again = httpx.get(started["url"], headers={"Accept": "application/json"})
            assert again.status_code == 401
        finally:
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0"], "nobody may sign in"),  # noqa: S104 - it is refused
        (["--host", "0.0.0.0", "--no-sign-in"], "have to sign in"),  # noqa: S104
        (["--no-sign-in", "--token", "x"], "not allowed with"),
        (["--base-path", "a b"], "cannot be the path"),
        (["--database-url", "postgresql://127.0.0.1:1/x"], "cannot be used"),
        (["users", "add", "a b"], "cannot be a name"),
        (["nonsense"], "does not know"),
    ],
)
def test_what_cannot_be_served_so_is_refused(
    alo: Alo, home: Path, options: list[str], said: str
) -> None:
    ended = alo("ui", *options, cwd=home, input="long enough\n")

    assert ended.returncode == 2
    assert said in ended.stderr or "psycopg" in ended.stderr or "terminal" in ended.stderr


def test_a_port_that_is_taken_is_said(alo: Alo, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = alo("ui", "--port", str(taken.getsockname()[1]), cwd=home)

    assert ended.returncode == 2
    assert "in use" in ended.stderr


def test_a_folder_that_is_no_project_is_said(alo: Alo, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()

    assert alo("ui", cwd=empty).returncode == 2


def test_a_damaged_database_is_said_and_left_as_it_is(alo: Alo, home: Path) -> None:
    path: Any = home / "studio" / "studio.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"nothing of ours" * 100)

    ended = alo("ui", cwd=home)

    assert ended.returncode == 2
    assert "studio.sqlite" in ended.stderr
    assert path.read_bytes() == b"nothing of ours" * 100


def test_users_and_tokens_are_kept_by_the_command_line(alo: Alo, home: Path) -> None:
    added = alo("ui", "users", "add", "ada", "--role", "viewer", "--password-stdin", cwd=home,
                input="long enough\n")  # fmt: skip
    assert added.returncode == 0, added.stderr
    listed = alo("ui", "users", "list", "--json", cwd=home)
    token = alo("ui", "tokens", "add", "ci", cwd=home)

    assert json.loads(listed.stdout)[0]["name"] == "ada"
    assert len(token.stdout.strip()) > 40
    assert alo("ui", "tokens", "revoke", "ci", cwd=home).returncode == 0
    assert alo("ui", "tokens", "revoke", "ci", cwd=home).returncode == 2


def test_another_user_of_the_machine_learns_nothing(
    home: Path, as_another_user: Callable[[Callable[[Path], object]], None]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        project = folder / "project"
        shutil.copytree(home, project)
        command = [sys.executable, "-m", "alo.cli.main", "ui", "--port", "0", "--json"]
        with subprocess.Popen(
            [*command, "--project", str(project)],
            stdout=subprocess.PIPE,
            env={**os.environ, "ALO_UI_TOKEN": "a-secret-of-mine"},
        ) as process:
            assert process.stdout is not None
            started = json.loads(process.stdout.readline())

            def look(_: Path) -> None:
                assert (project / "solution").is_dir()
                for path in (project / "studio", Path(f"/proc/{process.pid}/fd")):
                    with pytest.raises(PermissionError):
                        list(path.iterdir())
                with pytest.raises(PermissionError):
                    (project / "studio" / "studio.sqlite").read_bytes()
                with pytest.raises(PermissionError):
                    Path(f"/proc/{process.pid}/environ").read_bytes()
                assert b"a-secret" not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
                answer = httpx.get(f"http://127.0.0.1:{started['port']}/runs.json")
                assert answer.status_code == 401

            try:
                as_another_user(look)
            finally:
                end_all(process)


def test_what_it_runs_does_not_see_its_token(home: Path) -> None:
    asset = home / "assets/train/asset_train.py"
    seen = home / "seen"
    note = f"import os; open({str(seen)!r}, 'w').write(str(sorted(os.environ.items())))"
    asset.write_text(asset.read_text().replace('print("depth", x)', note))
    command = [sys.executable, "-m", "alo.cli.main", "ui", "--port", "0", "--json"]
    environment = {**os.environ, "ALO_UI_TOKEN": "a-secret-of-mine"}
    with subprocess.Popen(
        [*command, "--token", "another"], cwd=home, stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            port = json.loads(process.stdout.readline())["port"]
            answer = httpx.post(
                f"http://127.0.0.1:{port}/runs",
                json={"pipeline": "train"},
                headers={"Authorization": "Bearer another"},
                timeout=PATIENCE_S,
            )
            assert answer.status_code == 202
            wait_until(lambda: seen.exists() and seen.read_text().endswith("]"))
        finally:
            end_all(process)

    assert "PATH" in seen.read_text()
    assert "a-secret" not in seen.read_text()


def test_clients_that_never_end_their_request_keep_no_one_out(started: dict[str, Any]) -> None:
    slow = [socket.create_connection(("127.0.0.1", started["port"])) for _ in range(500)]
    try:
        for each in slow:
            each.sendall(b"GET /runs HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")

        answers = [httpx.get(started["url"] + "runs.json", timeout=PATIENCE_S) for _ in range(5)]
    finally:
        for each in slow:
            each.close()

    assert [each.status_code for each in answers] == [200] * 5


def test_more_connections_than_may_be_open_make_the_oldest_silent_one_give_way(
    started: dict[str, Any],
) -> None:
    silent = [socket.create_connection(("127.0.0.1", started["port"])) for _ in range(CONNECTIONS)]
    try:
        answer = httpx.get(started["url"] + "runs.json", timeout=PATIENCE_S)
        silent[0].settimeout(PATIENCE_S)
        ended = silent[0].recv(1)
    except ConnectionError:
        ended = b""
    finally:
        for each in silent:
            each.close()

    assert answer.status_code == 200
    assert ended == b""


def test_a_head_without_end_is_refused(started: dict[str, Any]) -> None:
    with socket.create_connection(("127.0.0.1", started["port"])) as client:
        client.settimeout(PATIENCE_S)
        client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"x" * 70_000)

        assert client.recv(100).startswith(b"HTTP/1.1 431")
