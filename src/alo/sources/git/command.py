"""Run git so that it asks no one, runs nothing of a repository's own, and says why it failed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from alo.errors import SourceError
from alo.masking import masked
from alo.sources.commands import Commands

ALLOWED = "https:http:ssh:git:file"  # ext:: and the like would run commands
SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.autocrlf": "false",
    "core.eol": "lf",  # the same files on every machine, whatever its settings
    # Git LFS is asked for by us (lfs.py): by itself it would not find its server in a bare clone.
    "filter.lfs.smudge": "",
    "filter.lfs.process": "",
    "filter.lfs.required": "false",
    "gc.auto": "0",
    "advice.detachedHead": "false",
    "submodule.recurse": "false",
    "http.lowSpeedLimit": "1000",  # bytes a second, for so many seconds: a stalled transfer
    "http.lowSpeedTime": "30",
}
SSH = "-oBatchMode=yes -oConnectTimeout=20 -oControlMaster=no"  # no one stays behind
KEPT = ("GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_", "GIT_ASKPASS", "GIT_CONFIG_", "GIT_PROXY_")
NOISE = ("remote: ", "warning: ", "hint: ", "Please make sure", "and the repository exists")


class GitError(Exception):
    """git ended with an error; the message is its own reason in a line, without secrets."""


class Git(Commands):
    """Runs git."""

    def __call__(
        self, *arguments: str, repository: Path, lock: int, more: Mapping[str, str] | None = None
    ) -> str:
        """What git prints.

        Args:
            repository: the bare repository to work on.
            lock: the descriptor of the repository's lock, which git holds too, as long as it runs.
            more: environment variables.
        Raises:
            GitError: it ended with an error.
            SourceError: there is no git.
        """
        settings = [word for key, text in SETTINGS.items() for word in ("-c", f"{key}={text}")]
        command = ["git", f"--git-dir={repository}", *settings, *arguments]
        try:
            ended = self.run(command, {**_environment(), **(more or {})}, lock=lock)
        except FileNotFoundError as error:
            raise SourceError(
                "git is not installed here, and assets come from git repositories",
                fix="install it (Debian, Ubuntu: apt install git)",
            ) from error
        if fault := ended.fault:
            said = _reason(ended.errors) if ended.status else ""
            raise GitError(said or f"git {arguments[0]}: {fault}")
        return ended.output


def _environment() -> dict[str, str]:
    """Ours, but for what would lead git to other folders (in a git hook) or have it ask someone."""
    own = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(KEPT)
    }
    own.pop("SSH_ASKPASS", None)
    ssh = own.get("GIT_SSH_COMMAND")
    if ssh or "GIT_SSH" not in own:
        own["GIT_SSH_COMMAND"] = f"{ssh or _configured_ssh() or 'ssh'} {SSH}"
    return {
        **own,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": ALLOWED,
        "GIT_LITERAL_PATHSPECS": "1",
        "SSH_ASKPASS_REQUIRE": "never",
        "LC_ALL": "C",
    }


def _configured_ssh() -> str:
    """The user's ``core.sshCommand``, which our variable would hide."""
    found = subprocess.run(
        ["git", "config", "--global", "core.sshCommand"],  # noqa: S607 - git of the user's PATH
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )
    return found.stdout.strip()


def _reason(errors: str) -> str:
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    telling: Sequence[str] = [line for line in lines if not line.startswith(NOISE)] or lines
    fatal = [line for line in telling if line.startswith(("fatal:", "error:", "ERROR:"))]
    return masked((fatal or telling or [""])[0])
