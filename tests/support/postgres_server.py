"""A PostgreSQL server of our own, in a folder of its own, reached by a socket in it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

DEBIAN = "/usr/lib/postgresql"


class PostgresServer:
    """One that runs until it is stopped; skips the test where PostgreSQL is not installed."""

    def __init__(self) -> None:
        pytest.importorskip("psycopg", reason="psycopg is not installed")
        self._programs = _programs()
        self._folder = Path(tempfile.mkdtemp(prefix="alo-postgres-"))  # a socket's path is short
        self._user: dict[str, Any] = {}
        if os.getuid() == 0:  # PostgreSQL refuses to be run by root
            user = pwd.getpwnam("nobody")
            self._user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chown(self._folder, user.pw_uid, user.pw_gid)
        data = self._folder / "data"
        self._call("initdb", "-D", data, "-U", "alo", "--auth=trust", "--no-sync")
        with (data / "postgresql.conf").open("a") as file:
            file.write(
                f"listen_addresses = ''\nunix_socket_directories = '{self._folder}'\nfsync = off\n"
            )
        self.start()

    def start(self) -> None:
        """Returns once it answers."""
        log = self._folder / "log"
        self._call("pg_ctl", "-D", self._folder / "data", "-l", log, "-w", "start")

    def stop(self) -> None:
        """As after a power loss: connections are cut."""
        self._call("pg_ctl", "-D", self._folder / "data", "-m", "immediate", "-w", "stop")

    def remove(self) -> None:
        """Stop it, and leave nothing."""
        self.stop()
        shutil.rmtree(self._folder)

    def new_database(self) -> str:
        """The URL of an empty database."""
        import psycopg

        name = f"t{os.urandom(6).hex()}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql://alo@/{name}?host={self._folder}"

    def _call(self, program: str, *words: str | Path) -> None:
        command = [str(self._programs / program), *map(str, words)]
        done = subprocess.run(
            command,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server keeps what it is given
            stderr=subprocess.DEVNULL,
            check=False,
            **self._user,
        )
        log = self._folder / "log"
        assert done.returncode == 0, log.read_text() if log.exists() else command


def _programs() -> Path:
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    for folder in sorted(Path(DEBIAN).glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    pytest.skip("PostgreSQL is not installed")
