"""What steps require to be installed, from the plan and from ``requirements.txt`` (spec 7)."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from alo.errors import Problem
from alo.plan.model import StepPlan

FILE = "requirements.txt"
NAME = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[|[<>=!~;@(]|$|\s)")
LOCAL = ("./", "../", "/", "~/", "file:", ".")
# Options that stand on a line of their own, or (ALO 2.x) after a requirement, and take a value.
WITH_VALUE = frozenset(
    {
        "--constraint",
        "--extra-index-url",
        "--find-links",
        "--index-url",
        "--no-binary",
        "--only-binary",
        "--requirement",
        "--trusted-host",
    }
)
WITHOUT_VALUE = frozenset({"--force-reinstall", "--no-index", "--pre", "--prefer-binary"})
SHORT = {"-c": "--constraint", "-f": "--find-links", "-i": "--index-url", "-r": "--requirement"}
IGNORED = ("--force-reinstall", "--require-hashes")  # what is satisfied is never touched


class Requirement(NamedTuple):
    """One thing that has to be installed."""

    text: str  # as an installer takes it, without options; paths are absolute
    name: str  # of the package, in normal form; empty for a path or URL without one
    step: str
    origin: str  # for messages: the plan's step, or a file and its line
    hashes: tuple[str, ...] = ()  # sha256:..., of what may be installed

    @property
    def is_editable(self) -> bool:
        return self.text.startswith("-e ")

    @property
    def line(self) -> str:
        """As a line of a requirements file."""
        return " ".join([self.text, *(f"--hash={each}" for each in self.hashes)])


class Wanted(NamedTuple):
    """What some steps require, together."""

    requirements: tuple[Requirement, ...] = ()
    options: tuple[str, ...] = ()  # lines for a requirements file, as --index-url ...
    constraints: tuple[str, ...] = ()  # files

    def __bool__(self) -> bool:
        return bool(self.requirements)

    @property
    def lines(self) -> list[str]:
        """A whole requirements file."""
        constraints = [f"-c {file}" for file in self.constraints]
        return [*self.options, *constraints, *(each.line for each in self.requirements)]


NOTHING = Wanted()


class BadRequirements(Exception):
    """What is wrong with requirements, all of it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)


def read_requirements(steps: Sequence[StepPlan], assets: Path, plan_file: str) -> Wanted:
    """What these steps require.

    Args:
        assets: the folder of the steps' folders.
        plan_file: the plan, as messages name it.
    Raises:
        BadRequirements: with every problem that was found.
    """
    reader = _Reader(assets)
    for step in steps:
        for text in step.source.requirements:
            reader.read_entry(step, text, plan_file)
    if reader.problems:
        raise BadRequirements(reader.problems)
    return reader.found


def all_of(wanted: Sequence[Wanted]) -> Wanted:
    """What several require, together; a line that a step has in both pipelines counts once."""
    every: dict[tuple[str, str], Requirement] = {}
    for each in (each for one in wanted for each in one.requirements):
        every.setdefault((each.step, each.line), each)
    options = dict.fromkeys(line for one in wanted for line in one.options)
    constraints = dict.fromkeys(file for one in wanted for file in one.constraints)
    return Wanted(tuple(every.values()), tuple(options), tuple(constraints))


def normal_name(name: str) -> str:
    """As package indexes compare names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


class _Reader:
    def __init__(self, assets: Path) -> None:
        self._assets = assets
        self._requirements: list[Requirement] = []
        self._options: list[str] = []
        self._constraints: list[str] = []
        self.problems: list[Problem] = []

    @property
    def found(self) -> Wanted:
        lists = self._options, self._constraints
        options, constraints = (tuple(dict.fromkeys(each)) for each in lists)
        return Wanted(tuple(dict.fromkeys(self._requirements)), options, constraints)

    def read_entry(self, step: StepPlan, text: str, plan_file: str) -> None:
        folder = self._assets / step.name
        if text.strip() == FILE:
            name = f"assets/{step.name}/{FILE}"
            if not (folder / FILE).is_file():
                what = f"step '{step.name}' requires {FILE}, and its folder has none"
                self.problems.append(Problem(what, plan_file, step.line, key=f"step {step.name}"))
            else:
                self._read_file(folder / FILE, name, step.name, ())
            return
        origin = Problem("", plan_file, step.line, key=f"step {step.name}")
        self._read_line(text, folder, origin, step.name, ())

    def _read_file(self, path: Path, name: str, step: str, parents: tuple[Path, ...]) -> None:
        try:
            text = path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            self.problems.append(Problem(f"cannot be read: {reason}", name))
            return
        for number, line in _logical_lines(text):
            place = Problem("", name, number)
            self._read_line(line, path.parent, place, step, (*parents, path.resolve()))

    def _read_line(
        self, line: str, folder: Path, place: Problem, step: str, parents: tuple[Path, ...]
    ) -> None:
        own, options = _apart(line.split())  # not as a shell does: quotes belong to markers
        hashes = tuple(text for option, text in options if option == "--hash")
        for option, text in options:
            self._take_option(option, text, folder, place, step, parents)
        if not own:
            return
        text = " ".join(own)
        if found := self._requirement(text, folder, place, step):
            self._requirements.append(found._replace(hashes=hashes))

    def _take_option(
        self,
        option: str,
        text: str,
        folder: Path,
        place: Problem,
        step: str,
        parents: tuple[Path, ...],
    ) -> None:
        if option in ("--hash", *IGNORED):
            return
        if option in ("--requirement", "--constraint"):
            path = Path(os.path.normpath(folder / text))
            if not path.is_file():
                self._complain(place, f"{option} {text}: there is no such file")
            elif option == "--constraint":
                self._constraints.append(str(path))
            elif path.resolve() in parents:
                self._complain(place, f"{option} {text}: it includes itself")
            else:
                name = os.path.relpath(path, self._assets.parent)
                self._read_file(path, name, step, parents)
        elif option in WITHOUT_VALUE:
            self._options.append(option)
        elif option in WITH_VALUE:
            if option == "--find-links" and "://" not in text:
                text = os.path.normpath(folder / text)
            self._options.append(f"{option} {text}")
        else:
            known = ", ".join(sorted(WITH_VALUE | WITHOUT_VALUE))
            self._complain(place, f"unknown option '{option}'; it can be {known}")

    def _requirement(
        self, text: str, folder: Path, place: Problem, step: str
    ) -> Requirement | None:
        origin = f"step '{step}' ({place.file}:{place.line})"
        is_editable = text.startswith("-e ")
        target = text.removeprefix("-e ").strip()
        if target.startswith(LOCAL) and "://" not in target:
            path, bracket, extras = target.partition("[")
            whole = os.path.normpath(folder / os.path.expanduser(path))
            if not os.path.exists(whole):
                self._complain(place, f"'{target}': there is no such file or folder: {whole}")
                return None
            told = f"{'-e ' if is_editable else ''}{whole}{bracket}{extras}"
            return Requirement(told, "", step, origin)
        if is_editable or re.match(r"(git\+|https?:|file:)", target):
            return Requirement(text, "", step, origin)
        from packaging.requirements import InvalidRequirement
        from packaging.requirements import Requirement as Parsed

        try:
            parsed = Parsed(text)
        except InvalidRequirement as error:
            reason = str(error).splitlines()[0]
            self._complain(place, f"'{text}' is no requirement: {reason}")
            return None
        return Requirement(text, normal_name(parsed.name), step, origin)

    def _complain(self, place: Problem, what: str) -> None:
        self.problems.append(place._replace(what=what))


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, and those that a backslash splits as one, with where they begin."""
    begun, parts = 0, []
    for number, line in enumerate(text.splitlines(), 1):
        begun = begun or number
        is_continued = line.endswith("\\") and not line.lstrip().startswith("#")
        parts.append(re.sub(r"(^|\s)#.*$", "", line.removesuffix("\\") if is_continued else line))
        if is_continued:
            continue
        if whole := " ".join(parts).strip():
            yield begun, whole
        begun, parts = 0, []
    if whole := " ".join(parts).strip():
        yield begun, whole


def _apart(words: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """The requirement's words, and the options with their values."""
    own: list[str] = []
    options: list[tuple[str, str]] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word in ("-e", "--editable"):
            own.append("-e")
        elif word.startswith("--editable="):
            own += ["-e", word.partition("=")[2]]
        elif word in SHORT or word.startswith("--"):
            name, equals, text = word.partition("=")
            name = SHORT.get(name, name)
            if not equals and name in WITH_VALUE | {"--hash"}:
                text = waiting.pop(0) if waiting else ""
            options.append((name, text.strip("'\"")))
        elif len(word) > 2 and word[:2] in SHORT:
            options.append((SHORT[word[:2]], word[2:]))
        else:
            own.append(word)
    return own, options
