"""uv and pip: make environments, install into them, and say why they could not.

uv is taken where it is there, for its speed. It does not read pip's settings, so they are handed
on to it: both find packages in the same places.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from alo.files import write_whole
from alo.masking import masked
from alo.sources.commands import Commands, Ended
from alo.sources.packages.requirements import Wanted

LAST_LINES = 12  # of an installer's own reason
# Of pip, for a line or a value that it had in another version
NOT_KNOWN = re.compile(r"no such option: (--[\w-]+)|option (--[\w-]+): invalid choice")
# Of both, for a server that cannot be reached; pip then also says that it found no version.
NO_ANSWER = re.compile(
    r"after connection broken by|Failed to establish a new connection|Max retries exceeded"
    r"|Failed to connect|connect error|dns error|operation timed out|Read timed out"
)
# What uv has not. The first is about pip itself, so that nothing is lost without it.
PIPS_OWN = "--use-feature"
NOT_OF_UV = (
    "--all-releases",
    "--config-settings",
    "--global-option",
    "--only-final",
    "--prefer-binary",
)
ON_UVS_COMMAND_LINE = {"--pre": "--prerelease=allow", "--trusted-host": "--allow-insecure-host"}
BY_NAME = ("--no-binary", "--only-binary")  # which uv takes one name at a time
BEST_OF_ALL = "unsafe-best-match"  # of uv: the best version of all indexes, as pip takes it
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


class InstallerError(Exception):
    """An installer ended with an error; the message is its own reason."""

    is_unreachable = False  # a server (an index, a proxy) did not answer


class Installer(NamedTuple):
    """How packages get into an environment.

    ``lock`` is the descriptor of a lock that the installer holds too, as long as it runs: should
    we be killed, no one else begins while it still writes.
    """

    uv: str  # the command; empty: pip
    offline: bool
    drafts: Path  # the folder for what is only there while it runs
    lock: int = -1

    @property
    def name(self) -> str:
        """What messages call it."""
        return "uv" if self.uv else "pip"

    def make(self, folder: Path) -> None:
        """Make a virtual environment of the Python that runs now.

        Raises:
            InstallerError: with the reason.
        """
        if self.uv:
            command = [self.uv, "venv", "--no-project", "--no-config", "--relocatable"]
            self._run([*command, "--python", sys.executable, str(folder)])
        else:
            self._run([sys.executable, "-m", "venv", "--without-pip", str(folder)])

    def install(self, python: Path, wanted: Wanted) -> list[str]:
        """Install what is wanted.

        Returns:
            what it says of options that it does not know, and of versions that their makers have
            taken back (yanked).
        Raises:
            InstallerError: with the reason.
        """
        hashed = tuple(each for each in wanted.requirements if each.hashes)
        if self.uv or wanted.is_locked or not hashed:
            return self._install(python, wanted)
        # pip wants hashes of all where there are any, and what these need in turn, with ALO's own
        # needs, has none: so these first, exactly, and then the rest, which finds them there.
        exactly = wanted._replace(requirements=hashed, limits=(), remote=())
        plain = tuple(each._replace(hashes=()) for each in wanted.requirements)
        notes = self._install(python, exactly, EXACTLY)
        return [*notes, *self._install(python, wanted._replace(requirements=plain))]

    def install_again(self, python: Path, wanted: Wanted, damaged: Sequence[str]) -> None:
        """Install all of it once more, and nothing from a cache, which may be damaged.

        Args:
            damaged: packages, which the cache then does not have any more.
        Raises:
            InstallerError: with the reason.
        """
        if not self.uv:
            self._install(python, wanted, ["--force-reinstall", "--no-cache-dir"])
            return
        with suppress(InstallerError):
            self._run([self.uv, "cache", "clean", *damaged])
        self._install(python, wanted, ["--reinstall", "--no-cache"])

    def resolve(self, python: Path, wanted: Wanted) -> list[str]:
        """The exact versions, with hashes, of all that this leads to.

        Raises:
            InstallerError: with the reason.
        """
        plain = tuple(each._replace(hashes=()) for each in wanted.requirements)
        wanted = wanted._replace(requirements=plain)
        if self.uv:
            options = ["--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
            ended, _ = self._run_on_files([*self._command("compile", python), *options], wanted)
            return _joined(ended.output)
        options = ["--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
        ended, _ = self._run_on_files([*self._command("install", python), *options], wanted)
        return _reported(ended.output)

    def _install(self, python: Path, wanted: Wanted, options: Sequence[str] = ()) -> list[str]:
        if wanted.is_locked:
            options = [*EXACTLY, *options]
        # A user's own constraints have no hashes, and the versions are settled.
        more = {"UV_CONSTRAINT": "", "PIP_CONSTRAINT": ""} if "--no-deps" in options else {}
        command = [*self._command("install", python), *options]
        ended, notes = self._run_on_files(command, wanted, more)
        yanked = [line.strip() for line in ended.errors.splitlines() if "yanked" in line]
        return [*notes, *map(masked, yanked)]

    def _command(self, verb: str, python: Path) -> list[str]:
        if self.uv:
            offline = ["--offline"] if self.offline else []
            return [self.uv, "pip", verb, "--no-config", "--python", str(python), *offline]
        offline = ["--no-index"] if self.offline else []
        return [
            *(sys.executable, "-m", "pip", "--python", str(python), verb),
            *("--disable-pip-version-check", "--no-input", *offline),
        ]

    def _run_on_files(
        self, command: Sequence[str], wanted: Wanted, more: Mapping[str, str] | None = None
    ) -> tuple[Ended, list[str]]:
        """Run on files of requirements and constraints; and what was left out, to be reported."""
        words, wanted, notes = _for_uv(wanted) if self.uv else ([], wanted, [])
        flag = [] if "compile" in command else ["-r"]
        while True:
            files = [*flag, _file(self.drafts / "requirements.txt", wanted.lines)]
            if wanted.limits:
                limits = [each.line for each in wanted.limits]
                files += ["-c", _file(self.drafts / "constraints.txt", limits)]
            try:
                return self._run([*command, *words, *files], more), notes
            except InstallerError as error:
                found = NOT_KNOWN.search(str(error))
                less = _without(wanted, found[1] or found[2]) if found else wanted
                if found is None or less == wanted:
                    raise
                notes.append(f"{self.name} does not know {found[0].strip()}: it is left out")
                wanted = less

    def _run(self, command: Sequence[str], more: Mapping[str, str] | None = None) -> Ended:
        settings = uv_settings() if self.uv else {"PIP_USER": "0"}
        environment = {**os.environ, **settings, **(more or {})}
        try:
            ended = Commands().run(command, environment, lock=self.lock)
            if self.uv and ended.status and NO_CACHE in ended.errors and not self.offline:
                environment["UV_NO_CACHE"] = "1"
                ended = Commands().run(command, environment, lock=self.lock)
        except OSError as error:
            raise InstallerError(f"{command[0]} does not start: {error.strerror}") from error
        if fault := ended.fault:
            said = _reason(ended.errors or ended.output) if ended.status else ""
            failed = InstallerError(said or f"{self.name}: {fault}")
            failed.is_unreachable = bool(ended.status and NO_ANSWER.search(ended.errors))
            raise failed
        return ended


EXACTLY = ("--no-deps", "--require-hashes")
NO_CACHE = "Failed to initialize cache"


def unknown_to_uv(wanted: Wanted) -> list[str]:
    """The options that are pip's alone, and decide what is installed."""
    own = (option for each in wanted.requirements for option in each.options)
    names = (option.partition("=")[0].partition(" ")[0] for option in (*wanted.options, *own))
    return [name for name in dict.fromkeys(names) if name in NOT_OF_UV]


def _for_uv(wanted: Wanted) -> tuple[list[str], Wanted, list[str]]:
    """Options for uv's command line, what can be left in a file for it, and what is left out."""
    words: list[str] = []
    lines: list[str] = []
    for line in wanted.options:
        name, _, value = line.partition(" ")
        if name in ON_UVS_COMMAND_LINE:
            words += [ON_UVS_COMMAND_LINE[name], *([value] if value else [])]
        elif name in BY_NAME:
            lines += [f"{name} {each.strip()}" for each in value.strip("'").split(",")]
        elif name != PIPS_OWN:
            lines.append(line)
    if any(line.startswith("--extra-index-url ") for line in lines):
        words += ["--index-strategy", BEST_OF_ALL]
    wanted = wanted._replace(options=tuple(lines))
    notes = []
    for name in unknown_to_uv(wanted):
        notes.append(f"uv does not know {name}: it is left out")
        wanted = _without(wanted, name)
    return words, wanted, notes


def _without(wanted: Wanted, name: str) -> Wanted:
    """What is wanted, but for an option."""
    own = [
        each._replace(options=tuple(o for o in each.options if not o.startswith(f"{name}=")))
        for each in wanted.requirements
    ]
    options = tuple(line for line in wanted.options if line.partition(" ")[0] != name)
    return wanted._replace(requirements=tuple(own), options=options)


def _file(path: Path, lines: Sequence[str]) -> str:
    text = "".join(f"{line}\n" for line in lines)
    write_whole(path, text.encode("utf-8", "surrogateescape"), durable=False)
    return str(path)


def find_uv() -> str:
    """The command of uv; empty where there is none."""
    beside = os.path.join(os.path.dirname(sys.executable), "uv")
    if os.access(beside, os.X_OK):
        return beside
    from shutil import which

    return which("uv") or ""


def uv_settings() -> dict[str, str]:
    """pip's settings in the words of uv, but for what uv has been set to itself."""
    settings = _pip_settings()
    known = {
        PIP_TO_UV[key]: " ".join(text.split()) for key, text in settings.items() if key in PIP_TO_UV
    }
    if "UV_FIND_LINKS" in known:
        known["UV_FIND_LINKS"] = known["UV_FIND_LINKS"].replace(" ", ",")
    if "UV_INDEX" in known:  # as pip does, the best version of all indexes
        known["UV_INDEX_STRATEGY"] = BEST_OF_ALL
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
    """The lines of a requirements file whose hashes are on lines of their own."""
    whole = re.sub(r"\s*\\\n\s*", " ", text)
    return [line.strip() for line in whole.splitlines() if line.strip() and line[0] != "#"]


def _reported(report: str) -> list[str]:
    """The same from pip's report of what it would install."""
    from alo.json_text import json_value

    lines = []
    for item in json_value(report)["install"]:
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
    said = lines[begins[0] :] if begins else lines
    kept = [line for line in said if "WARNING: " not in line and "[notice]" not in line]
    if len(kept) > LAST_LINES:
        kept = [*kept[:3], "...", *kept[-(LAST_LINES - 4) :]]
    return masked("\n".join(kept) or "it said nothing")
