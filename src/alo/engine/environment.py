"""What a run was made with: Python, packages, git commit; found without importing much."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

GIT_PATIENCE_S = 1.0
INSTALLED = ("site-packages", "dist-packages")


def python_version() -> str:
    """The version of the Python that runs, such as ``3.12.4``."""
    return ".".join(map(str, sys.version_info[:3]))


def imported_packages() -> dict[str, str]:
    """Versions of the installed packages that this process has imported so far, by import name."""
    found = {}
    for name in sorted(sys.modules):
        if "." in name or name.startswith("_") or not _is_installed(name):
            continue
        if version := package_version(name):
            found[name] = version
    return found


def packages_folder(python: str) -> str:
    """Where the virtual environment of an interpreter, of our own version, has its packages."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return os.path.join(os.path.dirname(os.path.dirname(python)), "lib", version, INSTALLED[0])


def package_version(name: str, folders: Sequence[str] = ()) -> str:
    """The version of the installed package that is imported under this name, without importing it.

    Empty where it is not installed, or does not say.

    Args:
        folders: where to look; none: where this process finds its modules.
    """
    from alo.sources.code.of_module import package_of

    wanted = _normal(package_of(name))
    for folder in folders or sys.path:
        if os.path.basename(folder) in INSTALLED and wanted in (known := _versions_in(folder)):
            return known[wanted]
    module = None if folders and folders is not sys.path else sys.modules.get(name)
    # Not getattr: some modules compute it, with a warning.
    return str(vars(module).get("__version__", "")) if module else ""


def _is_installed(name: str) -> bool:
    module = sys.modules[name]
    file = str(vars(module).get("__file__") or "") if module else ""
    return any(f"{os.sep}{folder}{os.sep}" in file for folder in INSTALLED)


@cache
def _versions_in(folder: str) -> dict[str, str]:
    """Name and version of each package in a site-packages folder, from the names of its entries."""
    found = {}
    for entry in os.listdir(folder) if os.path.isdir(folder) else ():
        name, dash, version = entry.removesuffix(".dist-info").partition("-")
        if dash and entry.endswith(".dist-info"):
            found[_normal(name)] = version
    return found


def _normal(name: str) -> str:
    text = name.replace("_", "-").replace(".", "-").lower()
    while "--" in text:
        text = text.replace("--", "-")
    return text


class GitState:
    """Commit and dirty state of the work tree a project is in; git works while the run does."""

    def __init__(self, home: Path) -> None:
        self._pid, self._pipe = 0, -1
        self._top = next((path for path in (home, *home.parents) if (path / ".git").exists()), None)
        if self._top is not None:
            self._ask(home)

    def read(self) -> dict[str, object]:
        """``{"commit": ..., "dirty": ...}``; empty where there is no git work tree, or no git."""
        if self._pid == 0:
            return {}
        pipe, self._pipe = self._pipe, -1
        try:
            output = _read_until(pipe, time.monotonic() + GIT_PATIENCE_S)
        finally:
            os.close(pipe)  # ends a git that still writes
            self._end()
        lines = (output or "").split("\n")
        oid = "# branch.oid "
        commit = next((line.removeprefix(oid) for line in lines if line.startswith(oid)), "")
        changed = any(line and not line.startswith("#") for line in lines)
        is_commit = commit and not commit.startswith("(")  # (initial): there is none yet
        return {"commit": commit, "dirty": changed} if is_commit else {}

    def _ask(self, home: Path) -> None:
        self._pipe, theirs = os.pipe()
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, theirs, 1),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        argv = ["git", "--no-optional-locks", "-C", str(home), "status", "--porcelain=v2"]
        argv += ["--branch", "--untracked-files=no", "--", "."]
        try:
            self._pid = os.posix_spawnp("git", argv, os.environ, file_actions=actions)
        except OSError:  # no git here
            os.close(self._pipe)
            self._pipe = -1
        finally:
            os.close(theirs)

    def _end(self) -> None:
        pid, self._pid = self._pid, 0
        try:
            for _ in range(20):
                if os.waitpid(pid, os.WNOHANG)[0]:
                    return
                time.sleep(0.005)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except ChildProcessError:  # an asset has reaped it
            return


def _read_until(pipe: int, deadline: float) -> str | None:
    """All of what comes, at most 64 KiB; None if it takes too long."""
    import select

    parts: list[bytes] = []
    while sum(map(len, parts)) < 1 << 16:
        if not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return None
        part = os.read(pipe, 1 << 16)
        if not part:
            break
        parts.append(part)
    return b"".join(parts).decode("utf-8", "replace")
