"""Whether what is installed satisfies requirements, and those that these have in turn.

Read from the metadata files themselves: ``importlib.metadata`` and its like take several times as
long for a large environment.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from alo.json_text import json_value
from alo.masking import masked
from alo.sources.packages.identity import local_path, newest
from alo.sources.packages.requirements import Requirement, normal_name

if TYPE_CHECKING:
    from packaging.requirements import Requirement as Parsed
    from packaging.specifiers import SpecifierSet

FOLDERS = ("site-packages", "dist-packages")
NOT_FROM_THERE = "not installed from there"


class Missing(NamedTuple):
    """A requirement that is not satisfied."""

    requirement: Requirement
    why: str  # "not installed", or what is there instead

    def __str__(self) -> str:
        return f"{self.requirement.shown} ({self.why}), for {self.requirement.origin}"


class _Package(NamedTuple):
    version: str
    requires: tuple[str, ...]  # Requires-Dist
    folder: str  # the .dist-info


def missing(
    requirements: Sequence[Requirement], path: Sequence[str], limits: Sequence[Requirement] = ()
) -> list[Missing]:
    """The requirements that an environment does not satisfy.

    Args:
        path: where its modules are found, as ``sys.path``.
        limits: constraints, which hold for what is required, also in turn.
    """
    if not requirements:
        return []
    found = _Environment(path)
    lacking = [
        Missing(each, why)
        for each in requirements
        if (why := found.lacks_local(each) if not each.name else found.lacks(each))
    ]
    for limit in limits:
        if limit.name in found.seen and (why := found.exceeds(limit)):
            lacking.append(Missing(limit, why))
    return lacking


def not_there(requirements: Sequence[Requirement], path: Sequence[str]) -> list[Missing]:
    """What an installer should have installed and has not; what that needs is not looked at."""
    found = _Environment(path)
    named = [each for each in requirements if each.name]
    return [Missing(each, why) for each in named if (why := found.exceeds(each, absent=True))]


def gaps(path: Sequence[str]) -> list[str]:
    """The packages of an environment that lack files which their installer has listed."""
    import csv

    found = []
    for folder in path:
        for name, info in _dist_infos(folder).items():
            try:
                with open(os.path.join(info, "RECORD"), encoding="utf-8", newline="") as file:
                    rows = list(csv.reader(file))
            except (OSError, UnicodeDecodeError, csv.Error):
                found.append(name)
                continue
            if not all(_is_there(os.path.join(folder, row[0]), row) for row in rows if row):
                found.append(name)
    return found


def _is_there(path: str, row: Sequence[str]) -> bool:
    """Whether a file of a RECORD is there in its size; compiled code may go at any time."""
    if path.endswith(".pyc"):
        return True
    try:
        size = os.stat(path).st_size
    except OSError:
        return False
    return len(row) < 3 or not row[2].isdigit() or int(row[2]) == size


def installed_version(requirement: Requirement, path: Sequence[str]) -> str:
    """The version of a requirement's package that an environment has; empty without one."""
    package = _Environment(path).package(requirement.name) if requirement.name else None
    return package.version if package else ""


def conflicts(
    requirements: Sequence[Requirement], limits: Sequence[Requirement] = ()
) -> Iterator[tuple[Requirement, Requirement]]:
    """Pairs that no version can satisfy, as ``==1`` and ``==2`` are.

    Args:
        limits: what is not required by itself, and holds for what is.
    """
    by_name: dict[str, list[Requirement]] = {}
    for each in requirements:
        if each.name:
            by_name.setdefault(each.name, []).append(each)
    for name, same in by_name.items():
        others = [*same, *(limit for limit in limits if limit.name == name)]
        for number, one in enumerate(same):
            for other in others[number + 1 :]:
                if one.text != other.text and not _fit_together(one, other):
                    yield one, other


def _fit_together(one: Requirement, other: Requirement) -> bool:
    """Whether any version fits both; found by trying those about the ones that they name."""
    first, second = _parsed(one.text), _parsed(other.text)
    if not (_applies(first, "") and _applies(second, "")):
        return True
    specifiers = first.specifier & second.specifier
    if first.url or second.url or not (first.specifier and second.specifier):
        return True
    named = {str(each.version).removesuffix(".*") for each in specifiers}
    tried = {"0", "999999", *named, *(f"{version}.0.0.1" for version in named)}
    tried |= {f"{version}.999999" for version in named}
    return any(_allows(specifiers, version) for version in tried)


def _allows(specifiers: "SpecifierSet", version: str) -> bool:
    from packaging.version import InvalidVersion

    try:
        return specifiers.contains(version, prereleases=True)
    except InvalidVersion:  # of a ===
        return False


class _Environment:
    """What is installed in the folders of a path."""

    def __init__(self, path: Sequence[str]) -> None:
        self._folders = [each for each in path if os.path.basename(each) in FOLDERS]
        self._names: dict[str, str] = {}  # normal name → .dist-info folder
        for folder in reversed(self._folders):
            self._names.update(_dist_infos(folder))
        self._packages: dict[str, _Package | None] = {}
        self._good: set[tuple[str, tuple[str, ...]]] = set()
        self.seen: set[str] = set()  # the packages that were asked for, also in turn

    def lacks(self, requirement: Requirement) -> str:
        """Why a requirement is not satisfied; empty if it is."""
        return self._lacks(_parsed(requirement.text), "")

    def lacks_local(self, requirement: Requirement) -> str:
        """As ``lacks``, for a path or URL: whether something was installed from there."""
        text, _, marker = requirement.text.removeprefix("-e ").partition(" ;")
        if marker and not _applies(_parsed(f"x ;{marker}"), ""):
            return ""
        wanted, path = _plain_url(text), local_path(requirement)
        for folder in self._names.values():
            if (url := _direct_url(folder)) and _plain_url(url) == wanted:
                is_old = path and newest(path) > os.stat(folder).st_mtime
                return "it has changed since it was installed" if is_old else ""
        return NOT_FROM_THERE

    def exceeds(self, limit: Requirement, *, absent: bool = False) -> str:
        """What is installed instead of a version that a constraint allows; empty if it does.

        Args:
            absent: it has to be installed.
        """
        wanted, package = _parsed(limit.text), self.package(limit.name)
        if not _applies(wanted, "") or (package is None and not absent):
            return ""
        if package is None:
            return "not installed"
        fits = wanted.specifier.contains(package.version, prereleases=True)
        return "" if fits else f"{package.version} is installed"

    def _lacks(self, wanted: "Parsed", extra: str) -> str:
        if not _applies(wanted, extra):
            return ""
        self.seen.add(normal_name(wanted.name))
        package = self.package(normal_name(wanted.name))
        if package is None:
            return "not installed"
        if wanted.url:
            same = _plain_url(_direct_url(package.folder)) == _plain_url(wanted.url)
            return "" if same else f"{package.version} is installed, not from there"
        if not wanted.specifier.contains(package.version, prereleases=True):
            return f"{package.version} is installed"
        return self._lacks_in_turn(wanted, package)

    def _lacks_in_turn(self, wanted: "Parsed", package: _Package) -> str:
        extras = tuple(sorted(wanted.extras))
        key = (normal_name(wanted.name), extras)
        if key in self._good:
            return ""
        self._good.add(key)  # also ends a circle
        for text in package.requires:
            each = _parsed(text)
            for extra in ("", *extras):
                if why := self._lacks(each, extra):
                    own = f"{each.name}{each.specifier}"
                    return f"it requires {own}: {why}" if "requires" not in why else why
        return ""

    def package(self, name: str) -> _Package | None:
        """The package of this normal name."""
        if name not in self._packages:
            folder = self._names.get(name)
            self._packages[name] = _read_package(folder) if folder else None
        return self._packages[name]


def _dist_infos(folder: str) -> Mapping[str, str]:
    found = {}
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        package, dash, _ = name.partition("-")
        if dash and name.endswith(".dist-info"):
            found[normal_name(package)] = os.path.join(folder, name)
    return found


def _read_package(folder: str) -> _Package | None:
    """Of a METADATA file only the head, which ends at an empty line."""
    version, requires = "", []
    try:
        with open(os.path.join(folder, "METADATA"), encoding="utf-8", errors="replace") as file:
            for line in file:
                if line in ("\n", "\r\n"):
                    break
                key, _, text = line.partition(": ")
                if key == "Version":
                    version = text.strip()
                elif key == "Requires-Dist":
                    requires.append(text.strip())
    except OSError:
        return None
    return _Package(version, tuple(requires), folder)


def _direct_url(folder: str) -> str:
    """Where a package was installed from, if from no index (PEP 610), as a requirement has it."""
    try:
        with open(os.path.join(folder, "direct_url.json"), encoding="utf-8") as file:
            content = json_value(file.read())
        url, control = str(content["url"]), content.get("vcs_info")
        if control is None:
            return url
        revision = control.get("requested_revision") or ""
        return f"{control['vcs']}+{url}{f'@{revision}' if revision else ''}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""


def _plain_url(text: str) -> str:
    """A URL or path in a form to compare: without user, fragment and extras."""
    from urllib.parse import unquote

    url = masked(text.partition("#")[0])
    if url.startswith(("/", "file:")):
        return unquote(url.removeprefix("file://")).partition("[")[0].rstrip("/")
    return url


@lru_cache(maxsize=2048)
def _parsed(text: str) -> "Parsed":
    from packaging.requirements import Requirement as Parsed

    return Parsed(text)


def _applies(wanted: "Parsed", extra: str) -> bool:
    """Whether its marker holds here."""
    if wanted.marker is None:
        return not extra
    return wanted.marker.evaluate({**_marker_environment(), "extra": extra})


@lru_cache(maxsize=1)
def _marker_environment() -> dict[str, str]:
    from packaging.markers import default_environment

    return {str(key): str(value) for key, value in default_environment().items()}


def fingerprint(path: Sequence[str]) -> list[str]:
    """Lines that change whenever a package comes or goes, or another version of it."""
    lines = []
    for folder in filter(os.path.isdir, path):
        is_of_packages = os.path.basename(folder) in FOLDERS
        names = sorted(_dist_infos(folder).values()) if is_of_packages else []
        lines += [f"{folder} {os.stat(folder).st_mtime_ns}", *names]
    return lines


def requires_of(name: str, path: Sequence[str]) -> list[str]:
    """What an installed package requires, as its metadata says."""
    package = _Environment(path).package(name)
    return list(package.requires) if package else []


def path_of(python: str) -> list[str]:
    """Where the virtual environment of an interpreter of our own version has its packages."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return [os.path.join(os.path.dirname(os.path.dirname(python)), "lib", version, FOLDERS[0])]
