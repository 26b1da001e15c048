"""A requirements file as pip reads it: its text, its logical lines, and the words of a line.

Here: encoding, continued lines, comments, ``${VARIABLES}``, which words are options. Not here: what
the lines mean (``requirements.py``).
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

# The longest first: UTF-32's begins with UTF-16's.
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
DECLARED = re.compile(rb"coding[:=]\s*([-\w.]+)")
COMMENT = re.compile(r"(^|\s+)#.*$")
VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")


class Option(NamedTuple):
    """What pip takes in a requirements file."""

    name: str
    has_value: bool = False
    is_of_one: bool = False  # of the requirement before it on its line, and of no other
    others: tuple[str, ...] = ()  # further names
    is_of_command: bool = False  # of pip's command line, as plans of ALO 2.x may have it


OPTIONS = (
    Option("--all-releases", has_value=True),
    Option("--config-settings", has_value=True, is_of_one=True, others=("-C", "--config-setting")),
    Option("--constraint", has_value=True, others=("-c",)),
    Option("--editable", has_value=True, others=("-e",)),
    Option("--extra-index-url", has_value=True),
    Option("--find-links", has_value=True, others=("-f",)),
    Option("--force-reinstall"),  # of ALO 2.x
    Option("--global-option", has_value=True, is_of_one=True),
    Option("--hash", has_value=True, is_of_one=True),
    Option("--index-url", has_value=True, others=("-i", "--pypi-url")),
    Option("--no-binary", has_value=True),
    Option("--no-index"),
    Option("--no-require-hashes"),
    Option("--only-binary", has_value=True),
    Option("--only-final", has_value=True),
    Option("--pre"),
    Option("--prefer-binary"),
    Option("--require-hashes"),
    Option("--requirement", has_value=True, others=("-r",)),
    Option("--trusted-host", has_value=True),
    Option("--use-feature", has_value=True),
)
OF_COMMAND = tuple(
    Option(name, is_of_command=True)
    for name in (
        *("--break-system-packages", "--disable-pip-version-check", "--ignore-installed", "-I"),
        *("--no-build-isolation", "--no-cache-dir", "--no-deps", "--no-warn-script-location"),
        *("--quiet", "-q", "--upgrade", "-U", "--user", "--verbose", "-v"),
    )
)
BY_NAME: Mapping[str, Option] = {
    name: option for option in OPTIONS for name in (option.name, *option.others)
}


class RequirementLineError(Exception):
    """A line that pip would not read; the message says why."""


def decoded(content: bytes) -> tuple[str, str]:
    """The text of a file, and what is odd about its encoding.

    Raises:
        RequirementLineError: it is no text.
    """
    encoding, start = _encoding(content)
    tried = [encoding or "utf-8"]
    for each in tried:
        try:
            text = content[start:].decode(each)
        except UnicodeDecodeError:
            if not encoding and len(tried) == 1:
                import locale

                tried.append(locale.getpreferredencoding(False))
            continue
        except LookupError as error:
            raise RequirementLineError(
                f"there is no encoding '{each}', which its first lines name"
            ) from error
        odd = f"it is not UTF-8, and is read as {each} here: save it as UTF-8"
        return text, "" if each == tried[0] else odd
    raise RequirementLineError(f"it is not {tried[0].upper()} text: save it as UTF-8")


def _encoding(content: bytes) -> tuple[str, int]:
    """What the file says of its encoding, and where its text begins."""
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return encoding, len(mark)
    for line in content.split(b"\n")[:2]:
        if line.startswith(b"#") and (declared := DECLARED.search(line)):
            return declared[1].decode("ascii"), 0
    return "", 0


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, those that a backslash splits as one, with where they begin."""
    begun, parts = 0, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        begun = begun or number
        is_comment = COMMENT.match(line)
        parts.append(f" {line}" if is_comment else line)
        if line.endswith("\\") and not is_comment:
            parts[-1] = line.strip("\\")
            continue
        yield from _without_comment(begun, parts)
        begun, parts = 0, []
    yield from _without_comment(begun, parts)


def _without_comment(number: int, parts: list[str]) -> Iterator[tuple[int, str]]:
    if line := COMMENT.sub("", "".join(parts)).strip():
        yield number, line


def with_variables(line: str) -> tuple[str, list[str]]:
    """The line with the values of its ``${VARIABLES}``, and the names of those that have none."""
    lacking = [name for name in VARIABLE.findall(line) if not os.environ.get(name)]
    return VARIABLE.sub(lambda found: os.environ.get(found[1]) or found[0], line), lacking


def words_of(line: str) -> tuple[str, list[tuple[Option, str]]]:
    """What a line requires, and its options with their values.

    Only from the first option on a line is taken apart as a shell does: the quotes before it
    belong to markers.

    Raises:
        RequirementLineError: an option is not known, or lacks its value.
    """
    begins = re.search(r"(^|\s)-", line)
    if begins is None:
        return " ".join(line.split()), []
    import shlex

    own, rest = line[: begins.start()], line[begins.start() :]
    try:
        waiting = shlex.split(rest)
    except ValueError as error:
        raise RequirementLineError(
            f"the options cannot be told apart, {error}: {rest.strip()}"
        ) from error
    words, options = own.split(), list[tuple[Option, str]]()
    while waiting:
        word = waiting.pop(0)
        if word.startswith("-"):
            options.append(_option(word, waiting))
        else:
            words.append(word)
    return " ".join(words), options


def _option(word: str, waiting: list[str]) -> tuple[Option, str]:
    """The option that a word is or begins with, and its value, which may be the next word."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        option = _named(name)
    else:
        option, value = _named(word[:2]), word[2:]
        equals = value
    if equals and not option.has_value:
        raise RequirementLineError(f"{option.name} takes no value")
    if option.has_value and not equals:
        if not waiting:
            raise RequirementLineError(f"{option.name} lacks its value")
        value = waiting.pop(0)
    return option, value


def _named(name: str) -> Option:
    """An option, also by the beginning of its name, as pip takes it."""
    if option := BY_NAME.get(name):
        return option
    if option := next((each for each in OF_COMMAND if each.name == name), None):
        return option
    found = {option for known, option in BY_NAME.items() if known.startswith(name)}
    if len(found) != 1 or not name.startswith("--") or name == "--":
        raise RequirementLineError(f"unknown option '{name}'; it can be {_known()}")
    return found.pop()


def _known() -> str:
    return ", ".join(option.name for option in OPTIONS)
