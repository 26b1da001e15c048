"""``solution/alo.lock``: the exact versions, hashes and commits that a plan runs with.

One JSON file for a plan, an entry for each environment, in an order that makes changes readable.
"""

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from alo.errors import InstallError
from alo.files import write_whole
from alo.json_text import json_bytes, json_file
from alo.masking import masked
from alo.sources.git.checked_out import Checkout
from alo.sources.packages.requirements import Requirement, Wanted, normal_name

NAME = "alo.lock"
FORMAT = 1
PROJECT = "project"  # the environment of all steps that have none of their own


class LockedEnvironment(NamedTuple):
    """One environment: what was asked for, and what that led to; no password is in it."""

    requirements: tuple[str, ...]  # "<step>: <requirement>"
    packages: tuple[str, ...]  # "<name>==<version> --hash=..."


class Lock(NamedTuple):
    """A whole lock file."""

    python: str
    system: str
    environments: Mapping[str, LockedEnvironment]
    sources: Mapping[str, Checkout]  # by step

    def exact(self, name: str, wanted: Wanted) -> Wanted:
        """What an installer is given for an environment.

        Args:
            wanted: what the plan asks for, which says where packages are found, and with what
                passwords.
        """
        urls = {masked(url): url for each in wanted.requirements for url in _urls(each.text)}
        packages = map(_as_requirement, self.environments[name].packages)
        whole = (
            each._replace(text=_with_urls(each.text, urls)) if "://" in each.text else each
            for each in packages
        )
        return Wanted(tuple(whole), wanted.options, is_locked=True, root=wanted.root)


def lock_path(plan: Path) -> Path:
    """The lock file of a plan: beside it."""
    return plan.with_name(NAME)


def here() -> tuple[str, str]:
    """Python version and system, which a lock file holds for."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return version, f"{sys.platform}-{platform.machine()}"


def asked(wanted: Wanted) -> tuple[str, ...]:
    """What an environment is asked for, as the lock file has it."""
    lines = [f"{each.step}: {each.shown}" for each in wanted.requirements]
    lines += [f"{each.step}: -c {each.shown}" for each in wanted.limits]
    return tuple(sorted([*lines, *(f"all: {masked(line)}" for line in wanted.remote)]))


def write_lock(path: Path, lock: Lock) -> None:
    """Write the lock file, the same bytes for the same lock."""
    content = {
        "format": FORMAT,
        "python": lock.python,
        "system": lock.system,
        "sources": {step: found._asdict() for step, found in sorted(lock.sources.items())},
        "environments": {
            name: {key: list(lines) for key, lines in each._asdict().items()}
            for name, each in sorted(lock.environments.items())
        },
    }
    write_whole(path, json_bytes(content, indent=2) + b"\n")


def read_lock(path: Path) -> Lock:
    """Read a lock file.

    Raises:
        InstallError: it is not there, or is none.
    """
    try:
        content = json_file(path)
        if content["format"] != FORMAT:
            raise ValueError("another version of ALO wrote it")
        return Lock(
            str(content["python"]),
            str(content["system"]),
            {
                str(name): LockedEnvironment(
                    tuple(map(str, each["requirements"])), tuple(map(str, each["packages"]))
                )
                for name, each in content["environments"].items()
            },
            {str(step): Checkout(**each) for step, each in content["sources"].items()},
        )
    except FileNotFoundError as error:
        raise InstallError(
            "there is no lock file", where=str(path), fix="make one: alo lock"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InstallError(
            f"the lock file cannot be read: {error}", where=str(path), fix="make it anew: alo lock"
        ) from error


def lock_differences(
    lock: Lock, environments: Mapping[str, Wanted], sources: Sequence[Checkout]
) -> list[str]:
    """What a plan asks for now that its lock file does not have, a line each.

    Args:
        environments: what each environment is asked for now.
        sources: what each step's code is to come from now; their commits do not matter.
    """
    changes = []
    for name, now in (("Python", here()[0]), ("system", here()[1])):
        locked = lock.python if name == "Python" else lock.system
        if locked != now:
            changes.append(f"the lock file is for {name} {locked}, and this is {now}")
    empty = LockedEnvironment((), ())
    for name in sorted({*environments, *lock.environments}):
        before = set(lock.environments.get(name, empty).requirements)
        now_asked = set(asked(environments[name])) if name in environments else set()
        changes += [
            f"the plan has '{each}', the lock file not" for each in sorted(now_asked - before)
        ]
        changes += [
            f"the lock file has '{each}', the plan not" for each in sorted(before - now_asked)
        ]
    wanted = {each.step: each._replace(commit="") for each in sources}
    locked_sources = {step: each._replace(commit="") for step, each in lock.sources.items()}
    for step in sorted({*wanted, *locked_sources}):
        if wanted.get(step) != locked_sources.get(step):
            changes.append(
                f"the code of step '{step}' comes from somewhere else than in the lock file"
            )
    return changes


def _urls(text: str) -> list[str]:
    return [word for word in text.split() if "://" in word]


def _with_urls(text: str, urls: Mapping[str, str]) -> str:
    """A locked package with the URLs as the plan has them."""
    return " ".join(urls.get(word, word) for word in text.split(" "))


def _as_requirement(line: str) -> Requirement:
    text, *hashes = line.split(" --hash=")
    name = normal_name(text.partition("==")[0].partition(" @")[0].partition("[")[0].strip())
    return Requirement(text, name, "", os.fspath(NAME), tuple(hashes))
