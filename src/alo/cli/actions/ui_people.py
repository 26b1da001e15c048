"""``alo ui users`` and ``alo ui tokens``: who may sign in to the studio."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from alo.cli.options import CommandParser
from alo.cli.output import console
from alo.cli.values import named
from alo.database.opening import open_database
from alo.errors import UsageError
from alo.layout import Workspace
from alo.ui.access.people import People
from alo.ui.access.roles import OPERATOR, ROLES
from alo.ui.settings import Settings

COMMAND_LINE = "command line"  # who has changed something, as the audit has it
MOST_TYPED = 2000  # characters of a password that is read


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of each: ``users`` and ``tokens``."""
    users = CommandParser(prog="alo ui users", description="Who may sign in.", allow_abbrev=False)
    acts = users.add_subparsers(dest="act", required=True, metavar="ACT")
    add = acts.add_parser("add", help="add a user; asks for the password")
    _name(add)
    _role(add, "viewer")
    _password(add)
    _json(acts.add_parser("list", help="list the users"))
    _name(acts.add_parser("disable", help="end a user's sessions and tokens, and let none begin"))
    other = acts.add_parser("password", help="give a user another password")
    _name(other)
    _password(other)
    tokens = CommandParser(
        prog="alo ui tokens", description="Bearer tokens for scripts.", allow_abbrev=False
    )
    acts = tokens.add_subparsers(dest="act", required=True, metavar="ACT")
    add = acts.add_parser("add", help="make a token, which is shown once")
    _name(add)
    _role(add, OPERATOR)
    add.add_argument("--user", type=named, default=None, help="on whose behalf")
    _json(acts.add_parser("list", help="list the tokens"))
    _name(acts.add_parser("revoke", help="a token that counts no more"))
    return {"users": users, "tokens": tokens}


def act(workspace: Workspace, settings: Settings, words: Sequence[str], *, as_json: bool) -> int:
    """Do what the words after ``alo ui`` ask for; returns the exit status."""
    kind, *rest = words
    known = parsers()
    if kind not in known:
        raise UsageError(
            f"alo ui does not know what to do with '{kind}'",
            fix="alo ui --help lists what it takes",
        )
    try:
        options = known[kind].parse_args(rest)
    except SystemExit:
        return 0
    database = open_database(workspace, settings.database_url)
    try:
        people = People(database, COMMAND_LINE)
        as_json = as_json or getattr(options, "json", False)
        if kind == "users":
            _users(people, options, as_json)
        else:
            _tokens(people, options, as_json)
    finally:
        database.close()
    return 0


def _users(people: People, options: argparse.Namespace, as_json: bool) -> None:
    match options.act:
        case "list":
            users = people.users()
            if as_json:
                console.write_json([user._asdict() for user in users])
                return
            rows = [
                (each.name, each.role, "disabled" if each.is_disabled else "") for each in users
            ]
            console.write(console.table(("name", "role", ""), rows) if rows else "no users yet")
        case "add":
            people.add(options.name, options.role, _typed_password(options))
        case "disable":
            people.disable(options.name)
        case "password":
            people.set_password(options.name, _typed_password(options))


def _tokens(people: People, options: argparse.Namespace, as_json: bool) -> None:
    match options.act:
        case "list":
            tokens = people.tokens()
            if as_json:
                console.write_json([token._asdict() for token in tokens])
                return
            rows = [(each.name, each.role, each.user, each.created) for each in tokens]
            headers = ("name", "role", "user", "created")
            console.write(console.table(headers, rows) if rows else "no tokens yet")
        case "add":
            console.write(people.add_token(options.name, options.role, options.user or ""))
        case "revoke":
            people.revoke(options.name)


def _typed_password(options: argparse.Namespace) -> str:
    if options.password_stdin:
        return sys.stdin.readline(MOST_TYPED).rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask for the password", fix="--password-stdin")
    from getpass import getpass

    password = getpass("password: ")
    if getpass("once more: ") != password:
        raise UsageError("the two passwords are not the same")
    return password


def _name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", type=named, metavar="NAME")


def _role(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--role", choices=ROLES, default=default, help=f"what it may do ({default})"
    )


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input"
    )
