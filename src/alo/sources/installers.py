"""uv and pip: make environments, install into them, and say why they could not.

uv is taken where it is there, for its speed. It does not read pip's settings, so they are handed
on to it: both find packages in the same places.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from alo.masking import masked

LAST_LINES = 12  # of an installer's own reason
PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "constraint": "UV_CONSTRAINT",
    "cert": "SSL_CERT_FILE",
    "trusted-host": "UV_INSECURE_HOST",
    "no-index": "UV_NO_INDEX",
    "timeout": "UV_HTTP_TIMEOUT",
}


class InstallFailed(Exception):
    """An installer ended with an error; the message is its own reason."""


class Installer(NamedTuple):
    """How packages get into an environment.

    ``lock`` is the descriptor of a lock that the installer holds too, as long as it runs: should
    we be killed, no one else begins while it still writes.
    """

    uv: str  # the command; empty: pip
    offline: bool
    lock: int = -1

    @property
    def name(self) -> str:
        return "uv" if self.uv else "pip"

    def make(self, folder: Path) -> None:
        """Make a virtual environment of the Python that runs now.

        Raises:
            InstallFailed: with the reason.
        """
        if self.uv:
            command = [self.uv, "venv", "--no-project", "--no-config", "--python", sys.executable]
            self._run([*command, str(folder)])
        else:
            self._run([sys.executable, "-m", "venv", "--without-pip", str(folder)])

    def install(self, python: Path, requirements: Path, *, exactly: bool = False) -> list[str]:
        """Install what a requirements file says.

        Args:
            exactly: only these, with their hashes.
        Returns:
            what the installer says of versions that their makers have taken back (yanked).
        Raises:
            InstallFailed: with the reason.
        """
        exact = ["--no-deps", "--require-hashes"] if exactly else []
        # A user's own constraints have no hashes, and the versions are settled.
        more = {"UV_CONSTRAINT": "", "PIP_CONSTRAINT": ""} if exactly else {}
        command = [*self._command("install", python), *exact, "-r", str(requirements)]
        told = self._run(command, more).stderr.splitlines()
        return [line.strip() for line in told if "yanked" in line]

    def resolve(self, python: Path, requirements: Path) -> list[str]:
        """The exact versions, with hashes, of all that a requirements file leads to.

        Raises:
            InstallFailed: with the reason.
        """
        if self.uv:
            command = self._command("compile", python)
            options = ["--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
            return _joined(self._run([*command, *options, str(requirements)]).stdout)
        options = ["--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
        command = [*self._command("install", python), *options, "-r", str(requirements)]
        return _reported(self._run(command).stdout)

    def _command(self, verb: str, python: Path) -> list[str]:
        if self.uv:
            offline = ["--offline"] if self.offline else []
            return [self.uv, "pip", verb, "--no-config", "--python", str(python), *offline]
        offline = ["--no-index"] if self.offline else []
        return [
            *(sys.executable, "-m", "pip", "--python", str(python), verb),
            *("--disable-pip-version-check", "--no-input", *offline),
        ]

    def _run(
        self, command: Sequence[str], more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        settings = uv_settings() if self.uv else {"PIP_USER": "0"}
        fds = (self.lock,) if self.lock >= 0 else ()
        try:
            done = subprocess.run(  # noqa: S603 - no shell; what users give stands in a file
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8" if self.uv else None,  # as Python prints here
                errors="replace",
                text=True,
                check=False,
                env={**os.environ, **settings, **(more or {})},
                pass_fds=fds,
            )
        except OSError as error:
            raise InstallFailed(f"{command[0]} does not start: {error.strerror}") from error
        if done.returncode:
            raise InstallFailed(_reason(done.stderr or done.stdout))
        return done


def find_uv() -> str:
    """The command of uv; empty where there is none."""
    beside = os.path.join(os.path.dirname(sys.executable), "uv")
    if os.access(beside, os.X_OK):
        return beside
    from shutil import which

    return which("uv") or ""


def uv_settings() -> dict[str, str]:
    """pip's settings in the words of uv, but for what uv has been told itself."""
    settings = _pip_settings()
    known = {
        PIP_TO_UV[key]: " ".join(text.split()) for key, text in settings.items() if key in PIP_TO_UV
    }
    if "UV_FIND_LINKS" in known:
        known["UV_FIND_LINKS"] = known["UV_FIND_LINKS"].replace(" ", ",")
    if "UV_INDEX" in known:  # as pip does, the best version of all indexes
        known["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return {name: text for name, text in known.items() if name not in os.environ}


def _pip_settings() -> Mapping[str, str]:
    command = [sys.executable, "-m", "pip", "config", "list", "--disable-pip-version-check"]
    listed = subprocess.run(  # noqa: S603 - constant
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,  # as Python prints here
        errors="replace",
        check=False,
    )
    found = {}
    for line in listed.stdout.splitlines():
        key, equals, text = line.partition("=")
        if equals:
            found[key.rpartition(".")[2]] = text.strip("'\"").replace("\\n", " ")
    return found


def _joined(text: str) -> list[str]:
    """The lines of a requirements file whose hashes stand on lines of their own."""
    whole = re.sub(r"\s*\\\n\s*", " ", text)
    return [line.strip() for line in whole.splitlines() if line.strip() and line[0] != "#"]


def _reported(report: str) -> list[str]:
    """The same from pip's report of what it would install."""
    import json

    lines = []
    for item in json.loads(report)["install"]:
        metadata, info = item["metadata"], item.get("download_info", {})
        version = f" @ {info['url']}" if item.get("is_direct") else f"=={metadata['version']}"
        hashes = info.get("archive_info", {}).get("hashes") or _hash_of(info.get("url", ""))
        text = "".join(f" --hash={kind}:{digest}" for kind, digest in sorted(hashes.items()))
        lines.append(f"{metadata['name']}{version}{text}")
    return sorted(lines, key=str.lower)


def _hash_of(url: str) -> dict[str, str]:
    """Of a file on this machine, which older versions of pip do not hash; others have none."""
    from hashlib import sha256
    from urllib.parse import unquote, urlsplit

    path = Path(unquote(urlsplit(url).path))
    if not url.startswith("file://") or not path.is_file():
        return {}
    return {"sha256": sha256(path.read_bytes()).hexdigest()}


def _reason(output: str) -> str:
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    begins = [at for at, line in enumerate(lines) if re.match(r"(ERROR|error| {1,2}\W) ?", line)]
    told = lines[begins[0] :] if begins else lines
    kept = [line for line in told if "WARNING: " not in line and "[notice]" not in line]
    if len(kept) > LAST_LINES:
        kept = [*kept[:3], "...", *kept[-(LAST_LINES - 4) :]]
    return masked("\n".join(kept) or "it said nothing")
