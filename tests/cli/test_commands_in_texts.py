"""Every command that a message, a help text or a page names is one that the command line takes."""

from __future__ import annotations

import argparse
import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from alo.cli.actions.dispatch import MODULES, actions_of, parse_action, parser_of
from alo.cli.actions.ui_people import parsers as people_parsers
from alo.cli.commands import sweep
from alo.cli.main import COMMANDS
from alo.cli.options import parse, parsers_of
from alo.errors import UsageError

ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("examples/**/*.md"),
    *ROOT.glob("src/**/*.md"),
]
NUMBERS = {"N": "5", "MB": "5", "KB": "5", "S": "5", "SECONDS": "5"}  # metavars of numbers
CALL = re.compile(r"(?<![\w./-])alo (?P<words>[a-z].*)")
# At the begin of a line of code, or behind what ends or wraps another command
IN_CODE = re.compile(r"(?:^\s*|\$ |&& |; |\| |[A-Z_]+=\S+ |/)alo (?P<words>[a-z-].*?)(?= && |; |$)")
# What may follow a command's name in a sentence: options, what stands for a value, ids.
ARGUMENT = re.compile(r"-{1,2}[a-z][\w-]*(=\S+)?|[A-Z][A-Z_0-9]*([.=][A-Z.=]+)?|\d\w*|X")
MARKS = ",;:.()'\"`"  # that end a command in a sentence
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
OF_OTHERS = {  # options of pip, in files of requirements, of docker, and of scripts/
    "--part",
    "--tests",
    "--config-settings",
    "--extra-index-url",
    "--find-links",
    "--force-reinstall",
    "--global-option",
    "--hash",
    "--index-url",
    "--init",
    "--no-binary",
    "--no-index",
    "--only-binary",
    "--pre",
    "--prefer-binary",
    "--require-hashes",
    "--trusted-host",
    "--use-feature",
}
PUT_IN = "'X'"  # what a module puts into a text: of which kind it is, only the module knows
INCOMPLETE = ("the following arguments are required", "is required", "expected one argument")


class Call(NamedTuple):
    """A command that a text names."""

    where: str
    words: list[str]
    is_whole: bool  # code, of which nothing is left out


def calls() -> Iterator[Call]:
    for page in PAGES:
        yield from _of_page(page.read_text(encoding="utf-8"), str(page.relative_to(ROOT)))
    for notebook in ROOT.glob("src/**/*.ipynb"):
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            yield from _of_page("".join(cell["source"]), str(notebook.relative_to(ROOT)))
    for module in ROOT.glob("src/**/*.py"):
        for text, line in _strings(module):
            yield from _of_sentence(text, f"{module.relative_to(ROOT)}:{line}")


def _of_page(text: str, name: str) -> Iterator[Call]:
    is_code = False
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{name}:{number}"
        if line.lstrip().startswith("```"):
            is_code = not is_code
        elif is_code:
            for call in IN_CODE.finditer(line):
                yield Call(where, _code_words(call["words"]), True)
        else:
            for quoted in re.findall(r"`([^`]+)`", line):
                if quoted.startswith("alo "):
                    yield Call(where, _code_words(quoted.removeprefix("alo ")), False)


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)


def _code_words(text: str) -> list[str]:
    return shlex.split(re.split(r"\s[#|>;]|&&", text)[0])


def _of_sentence(text: str, where: str) -> Iterator[Call]:
    for found in re.finditer(r"`(alo [^`]+)`", text):
        yield Call(where, _code_words(found[1].removeprefix("alo ")), False)
    for found in CALL.finditer(re.sub(r"`[^`]*`", "", text)):
        name, *rest = found["words"].split()
        if name.strip(MARKS) in COMMANDS:
            words = [] if name[-1] in MARKS else _arguments(name, rest)
            yield Call(where, [name.strip(MARKS), *words], False)


def _arguments(name: str, words: list[str]) -> Iterator[str]:
    """The words that belong to the command; then the sentence goes on."""
    own = {"loop": {"status", "dead", "list", "replay", "drop"}}
    own |= {it: set(actions_of(it)) for it in MODULES}
    before = ""
    for written in words:
        word = written.strip(MARKS)
        if not (
            ARGUMENT.fullmatch(word)
            or word in own.get(name, ())
            or before in ("--mode", "--env", "--template")
        ):
            return
        yield word
        if written[-1] in MARKS:
            return
        before = word


def _strings(module: Path) -> Iterator[tuple[str, int]]:
    """The texts of a module; what is put into one stands as an X."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (each.value if isinstance(each, ast.Constant) else "X" for each in node.values)
            yield "".join(map(str, parts)), node.lineno
        elif isinstance(node, ast.Constant) and id(node) not in inside:
            yield str(node.value), node.lineno


def problem_of(call: Call) -> str:
    """Why the real parsers would not take it; empty: they do."""
    name, *words = [NUMBERS.get(word, word) for word in call.words]
    if name in ("--help", "--version") or (name, words) == ("history", ["X"]):
        return ""
    if name not in COMMANDS:
        return f"no command {name}"
    if any("…" in word or "..." in word for word in words):
        return ""
    try:
        options = parse(name, COMMANDS[name], words)
        if options is None or name not in MODULES or not options.action:
            return ""
        if name == "sweep" and options.action[0] not in sweep.ACTIONS:
            sweep.named_sweep(options)
        else:
            parse_action(name, options)
    except UsageError as error:
        is_incomplete = not call.is_whole and any(sign in error.what for sign in INCOMPLETE)
        return "" if is_incomplete or PUT_IN in error.what else error.what
    return ""


def test_every_command_that_is_named_can_be_typed(capsys: pytest.CaptureFixture[str]) -> None:
    found = list(calls())

    wrong = [
        f"{call.where}: alo {' '.join(call.words)}: {reported}"
        for call in found
        if (reported := problem_of(call))
    ]

    assert wrong == []
    assert {call.words[0] for call in found} >= set(COMMANDS)
    assert sum(call.where.startswith("src/") for call in found) > 30
    assert sum(call.where.startswith("docs/") for call in found) > 60


def acts_of(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The parsers of what stands behind a word such as ``users``."""
    (action,) = (each for each in parser._actions if isinstance(each.choices, dict))
    assert isinstance(action.choices, dict)
    return list(action.choices.values())


def test_every_option_that_a_page_names_exists() -> None:
    parsers = [parser for name in COMMANDS for parser in parsers_of(name, COMMANDS[name])]
    parsers += [parser_of(it, name) for it in MODULES for name in actions_of(it)]
    parsers += [act for parser in people_parsers().values() for act in acts_of(parser)]
    known = {option for parser in parsers for option in parser._option_string_actions}

    wrong = [
        f"{page.relative_to(ROOT)}: {option}"
        for page in PAGES
        for quoted in re.findall(r"`(-[^`\n]+)`", _without_code(page.read_text(encoding="utf-8")))
        for option in OPTION.findall(quoted)
        if option not in known | OF_OTHERS
    ]

    assert wrong == []


def test_the_pages_in_korean_are_looked_at() -> None:
    found = {call.where.partition(":")[0] for call in calls()}

    assert {"README.ko.md", "docs/getting-started/from-alo-2.ko.md"} <= found


@pytest.mark.parametrize(
    "line",
    [
        "alo rnu",
        "$ alo rnu",
        "cd x && alo rnu",
        "A=1 alo rnu",
        ".venv/bin/alo rnu | head",
        "true; alo rnu",
    ],
)
def test_a_command_in_code_is_found_wherever_it_stands(line: str) -> None:
    (call,) = _of_page(f"```sh\n{line}\n```", "page")

    assert problem_of(call) == "no command rnu"


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("look: alo history --pipeline train lists them", "no option --pipeline"),
        ("`alo deplyo RUN_ID`", "no command deplyo"),
        ("alo history shwo X", ""),
        ("`alo history shwo X`", "no action 'shwo'"),
        ("try alo run --mode both, and see", "invalid choice"),
        ("`alo sweep apply X --trial X`", ""),
        ("alo deploy RUN_ID brings it", ""),
        ("alo prints a page", None),
    ],
)
def test_a_command_that_cannot_be_typed_is_found(text: str, reported: str | None) -> None:
    problems = [problem_of(call) for call in _of_sentence(text, "here")]

    assert problems == [] if reported is None else len(problems) == 1
    assert all(
        (reported or "") in problem and bool(problem) is bool(reported) for problem in problems
    )
