"""What steps require to be installed, from the plan and from ``requirements.txt`` (spec 7)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from alo.errors import Problem
from alo.masking import masked
from alo.plan.model import Plan, StepPlan
from alo.sources.packages.requirement_lines import (
    Option,
    RequirementLineError,
    decoded,
    logical_lines,
    with_variables,
    words_of,
)

FILE = "requirements.txt"
HASH = "--hash"
REMOTE = re.compile(r"https?://", re.IGNORECASE)
WITH_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
VERSION_CONTROL = re.compile(r"(git|hg|svn|bzr)\+")
NAMED_URL = re.compile(r"([A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\])?\s*@)\s*(.+)")
EXTRAS = re.compile(r"(.+?)(\[[^\[\]]*\])?$")
ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz")
PROJECT_FILES = ("pyproject.toml", "setup.py")
# What is satisfied is never touched, and hashes are checked where there are any.
IGNORED = ("--force-reinstall", "--no-require-hashes")


class Requirement(NamedTuple):
    """One thing that has to be installed."""

    text: str  # as an installer takes it, without options; paths are absolute
    name: str  # of the package, in normal form; empty for a path or URL without one
    step: str
    origin: str  # for messages: the plan's step, or a file and its line
    hashes: tuple[str, ...] = ()  # sha256:..., of what may be installed
    options: tuple[str, ...] = ()  # of this one alone, as --config-settings=a=b
    place: Problem = Problem("")  # in the plan, without a text

    @property
    def is_editable(self) -> bool:
        """Whether it is a source folder that is installed in place (``-e``)."""
        return self.text.startswith("-e ")

    @property
    def line(self) -> str:
        """As a line of a requirements file."""
        if not self.options and not self.hashes:
            return self.text
        from shlex import quote

        options = (each.partition("=") for each in self.options)
        own = (f"{name}={quote(value)}" for name, _, value in options)
        return " ".join([self.text, *own, *(f"--hash={each}" for each in self.hashes)])

    @property
    def shown(self) -> str:
        """As messages and notes have it: without a password."""
        return masked(self.line)


class Wanted(NamedTuple):
    """What some steps require, together."""

    requirements: tuple[Requirement, ...] = ()
    options: tuple[str, ...] = ()  # lines for a requirements file, as --index-url ...
    limits: tuple[Requirement, ...] = ()  # constraints: hold for what is installed anyway
    remote: tuple[str, ...] = ()  # lines that only an installer can read: -r and -c with a URL
    warnings: tuple[Problem, ...] = ()  # what was read, and is odd
    is_locked: bool = False  # exactly these and no others, ALO's own needs among them
    root: str = ""  # the project's folder, which paths are below

    def __bool__(self) -> bool:
        return bool(self.requirements or self.has_unread)

    @property
    def has_unread(self) -> bool:
        """Whether more is required than can be known here."""
        return any(line.startswith("-r ") for line in self.remote)

    @property
    def lines(self) -> list[str]:
        """A whole requirements file."""
        return [*self.options, *self.remote, *(each.line for each in self.requirements)]


NOTHING = Wanted()


class RequirementsError(Exception):
    """What is wrong with requirements, all of it; and the others."""

    def __init__(self, problems: Sequence[Problem], readable: Wanted) -> None:
        super().__init__(problems)
        self.problems, self.readable = tuple(problems), readable


def read_requirements(
    steps: Iterable[StepPlan],
    assets: Path,
    plan: Plan,
    *,
    unread: Iterable[str] = (),
    folders: Mapping[str, Path] | None = None,
) -> Wanted:
    """What these steps require.

    Args:
        assets: the folder of the steps' folders.
        unread: names of steps whose folders are not looked at, because what will run is not there.
        folders: of steps whose code is somewhere else than in their folders.
    Raises:
        RequirementsError: with every problem that was found.
    """
    reader = _Reader(assets, plan, frozenset(unread), folders or {})
    for step in steps:
        for number, text in enumerate(step.source.requirements):
            reader.read_entry(step, text, number)
    reader.complain_of_lacking_hashes()
    if reader.problems:
        raise RequirementsError(list(dict.fromkeys(reader.problems)), reader.found)
    return reader.found


def all_of(wanted: Sequence[Wanted]) -> Wanted:
    """What several require, together; a line that a step has in both pipelines counts once."""
    every: dict[tuple[str, str], Requirement] = {}
    for each in (each for one in wanted for each in one.requirements):
        every.setdefault((each.step, each.line), each)
    return Wanted(
        tuple(every.values()),
        _one_index(dict.fromkeys(line for one in wanted for line in one.options)),
        tuple(dict.fromkeys(each for one in wanted for each in one.limits)),
        tuple(dict.fromkeys(line for one in wanted for line in one.remote)),
        tuple(dict.fromkeys(each for one in wanted for each in one.warnings)),
        root=next((one.root for one in wanted if one.root), ""),
    )


def _one_index(options: Iterable[str]) -> tuple[str, ...]:
    """The first --index-url, and any further one: one alone would hide the others."""
    first = next((line for line in options if line.startswith("--index-url ")), "")
    return tuple(
        f"--extra-{line.removeprefix('--')}"
        if line.startswith("--index-url ") and line != first
        else line
        for line in options
    )


def normal_name(name: str) -> str:
    """As package indexes compare names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


class _Place(NamedTuple):
    """Where a line is."""

    step: str
    entry: Problem  # in the plan, without a text
    folder: Path  # that paths in it are relative to
    file: str = ""  # as messages name it; empty: the plan itself
    line: int = 0
    parents: tuple[Path, ...] = ()  # the files that led here
    is_limit: bool = False  # of a file of constraints

    def problem(self, what: str) -> Problem:
        at = f"{self.file}:{self.line}: " if self.file else ""
        return self.entry._replace(what=f"{self.entry.what}{at}{what}")

    @property
    def origin(self) -> str:
        file, line = (self.file, self.line) if self.file else (self.entry.file, self.entry.line)
        return f"step '{self.step}' ({file}:{line})"


class _Reader:
    def __init__(
        self, assets: Path, plan: Plan, unread: frozenset[str], folders: Mapping[str, Path]
    ) -> None:
        self._assets, self._plan, self._unread, self._folders = assets, plan, unread, folders
        self._requirements: list[Requirement] = []
        self._limits: list[Requirement] = []
        self._options: list[str] = []
        self._remote: list[str] = []
        self._warnings: list[Problem] = []
        self._with_hashes = set[str]()  # steps of which each requirement has to have one
        self.problems: list[Problem] = []

    @property
    def found(self) -> Wanted:
        return Wanted(
            tuple(dict.fromkeys(self._requirements)),
            _one_index(dict.fromkeys(self._options)),
            tuple(dict.fromkeys(self._limits)),
            tuple(dict.fromkeys(self._remote)),
            tuple(dict.fromkeys(self._warnings)),
            root=str(self._assets.parent),
        )

    def read_entry(self, step: StepPlan, text: str, number: int) -> None:
        entry = self._plan.source_problem(step, "", f"requirements[{number}]")
        folder = self._folders.get(step.name, self._assets / step.name)
        place = _Place(step.name, entry, folder)
        if text.strip() != FILE:
            self._read_line(text, place)
        elif step.name not in self._unread:
            self._read_file(place.folder / FILE, place)

    def complain_of_lacking_hashes(self) -> None:
        for each in self._requirements:
            if each.step in self._with_hashes and not each.hashes:
                what = f"'{each.text}' has no --hash, and --require-hashes wants one of each"
                self.problems.append(each.place._replace(what=f"{each.place.what}{what}"))

    def _read_file(self, path: Path, place: _Place) -> None:
        name = os.path.relpath(path, self._assets.parent)
        inside = place._replace(
            folder=path.parent, file=name, parents=(*place.parents, path.resolve())
        )
        try:
            text, odd = decoded(path.read_bytes())
        except FileNotFoundError:
            self._complain(place, f"there is no file {name}")
            return
        except (OSError, RequirementLineError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            self._complain(place, f"{name} cannot be read: {reason}")
            return
        if odd:
            self._warn(inside._replace(line=1), odd)
        for line_number, line in logical_lines(text):
            self._read_line(line, inside._replace(line=line_number))

    def _read_line(self, line: str, place: _Place) -> None:
        line, lacking = with_variables(line)
        for name in lacking:
            self._warn(place, f"the environment variable {name} is not set")
        try:
            text, options = words_of(line)
        except RequirementLineError as error:
            self._complain(place, str(error))
            return
        own = [(option, value) for option, value in options if option.is_of_one]
        for option, value in options:
            if option.name == "--editable":
                text = f"-e {value}"
            elif not option.is_of_one:
                self._take_option(option, value, place)
        if text:
            self._take_requirement(text, own, place)
        elif own:
            self._warn(place, f"{own[0][0].name} is of no requirement, and ignored")

    def _take_requirement(
        self, text: str, own: Sequence[tuple[Option, str]], place: _Place
    ) -> None:
        found = self._requirement(text, place)
        if found is None:
            return
        hashes = tuple(value for option, value in own if option.name == "--hash")
        options = tuple(
            f"{option.name}={value}" for option, value in own if option.name != "--hash"
        )
        known = self._limits if place.is_limit else self._requirements
        known.append(found._replace(hashes=hashes, options=options))

    def _take_option(self, option: Option, value: str, place: _Place) -> None:
        if option.is_of_command and place.file:
            self._complain(place, f"{option.name} is for pip's command line, and not for a file")
        elif option.is_of_command:
            self._warn(place, f"{option.name} is ignored: what is missing is installed, no more")
        elif option.name in ("--requirement", "--constraint"):
            self._include(option, value, place)
        elif option.name == "--require-hashes":
            self._with_hashes.add(place.step)
        elif option.name not in IGNORED:
            from shlex import quote

            if option.name == "--find-links" and not WITH_SCHEME.match(value):
                value = self._path(value, place) or value
            self._options.append(f"{option.name} {quote(value)}" if value else option.name)

    def _include(self, option: Option, value: str, place: _Place) -> None:
        """Read another file of requirements or constraints; those behind a URL an installer reads.

        What such a file of requirements asks for is not known before.
        """
        if REMOTE.match(value):
            self._remote.append(f"{option.others[0]} {value}")
            if option.name == "--requirement":
                self._warn(place, f"what {value} requires is not known before it is installed")
            return
        path = self._path(value, place)
        if not path:
            self._complain(place, f"{option.name} {value}: there is no such file")
        elif Path(path).resolve() in place.parents:
            self._complain(place, f"{option.name} {value}: it includes itself")
        else:
            self._read_file(Path(path), place._replace(is_limit=option.name == "--constraint"))

    def _requirement(self, text: str, place: _Place) -> Requirement | None:
        is_editable = text.startswith("-e ")
        target = text.removeprefix("-e ").strip()
        if VERSION_CONTROL.match(target) or (
            WITH_SCHEME.match(target) and not target.startswith("file:")
        ):
            return self._made(text, "", place)
        if named := NAMED_URL.fullmatch(target):
            target = self._with_whole_url(named[1], named[2], place)
        elif is_editable or _is_path(target):
            return self._local_requirement(target, is_editable, place)
        return self._named_requirement(target, place)

    def _named_requirement(self, text: str, place: _Place) -> Requirement | None:
        from packaging.requirements import InvalidRequirement
        from packaging.requirements import Requirement as Parsed

        try:
            parsed = Parsed(text)
        except InvalidRequirement as error:
            self._complain(place, f"'{text}' is no requirement: {str(error).splitlines()[0]}")
            return None
        if text.endswith(".txt") and self._path(text, place):
            self._complain(place, f"'{text}' is a file: write -r {text} to have what it requires")
            return None
        return self._made(text, normal_name(parsed.name), place)

    def _local_requirement(
        self, target: str, is_editable: bool, place: _Place
    ) -> Requirement | None:
        """A wheel, an archive or a project's folder on this machine."""
        target, semicolon, marker = target.partition(";")
        target, _, fragment = target.strip().partition("#")
        parts = EXTRAS.fullmatch(target)
        path, extras = (parts[1], parts[2] or "") if parts else (target, "")
        whole = self._path(path, place)
        if not whole:
            self._complain(place, f"'{target}': there is no such file or folder")
            return None
        if os.path.isdir(whole) and not any(
            os.path.isfile(os.path.join(whole, name)) for name in PROJECT_FILES
        ):
            what = f"'{target}': the folder has no {' or '.join(PROJECT_FILES)} to install it by"
            self._complain(place, what)
            return None
        if "subdirectory=" in fragment:
            whole = f"{Path(whole).as_uri()}#{fragment}"
        condition = f" ;{marker}" if semicolon else ""
        return self._made(f"{'-e ' if is_editable else ''}{whole}{extras}{condition}", "", place)

    def _with_whole_url(self, name: str, url: str, place: _Place) -> str:
        """``name @ ./a/b`` with the whole path: an installer would look in its working folder."""
        if WITH_SCHEME.match(url) or VERSION_CONTROL.match(url):
            return f"{name} {url}"
        path, semicolon, marker = url.partition(" ;")
        whole = self._path(path, place)
        return f"{name} {Path(whole).as_uri() if whole else path}{semicolon}{marker}"

    def _path(self, path: str, place: _Place) -> str:
        """A path as an absolute one: from the file it is in, or from the project; empty: nowhere.

        pip would take it from the folder that it was started in, which is usually the project's.
        """
        found = (_local(path, folder) for folder in (place.folder, self._assets.parent))
        return next((str(each) for each in found if each.exists()), "")

    def _made(self, text: str, name: str, place: _Place) -> Requirement:
        return Requirement(text, name, place.step, place.origin, place=place.entry)

    def _complain(self, place: _Place, what: str) -> None:
        self.problems.append(place.problem(what))

    def _warn(self, place: _Place, what: str) -> None:
        self._warnings.append(place.problem(masked(what)))


def _is_path(target: str) -> bool:
    """As pip distinguishes a path from a name."""
    path = target.partition(";")[0].partition("#")[0].strip()
    archive = path.partition("[")[0].lower()
    return "/" in path or path.startswith((".", "~", "file:")) or archive.endswith(ARCHIVES)


def _local(path: str, folder: Path) -> Path:
    """A path, or a ``file:`` URL, as an absolute path."""
    if path.startswith("file:"):
        from urllib.parse import unquote

        path = unquote(path.removeprefix("file:").removeprefix("//localhost").removeprefix("//"))
    return Path(os.path.normpath(folder / os.path.expanduser(path)))
