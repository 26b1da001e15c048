"""``alo ui``: the studio, a web UI over a project; and who may sign in to it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from alo.cli.output import console
from alo.cli.values import named, port
from alo.cli.withheld import ALARM_SECRET, take
from alo.errors import UsageError
from alo.events.types import Event, LogLine
from alo.layout import Workspace
from alo.ui.settings import DATABASE_VARIABLE, Settings

if TYPE_CHECKING:
    from alo.ui.server import Started

TOKEN_VARIABLE = "ALO_UI_TOKEN"  # noqa: S105 - its name
DEFAULTS = Settings()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--host",
        type=named,
        default=DEFAULTS.host,
        help=f"address to listen on ({DEFAULTS.host})",
    )
    parser.add_argument(
        "--port",
        type=port,
        default=DEFAULTS.port,
        help=f"port ({DEFAULTS.port}); 0: a free one",
    )
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    sign_in = parser.add_mutually_exclusive_group()
    sign_in.add_argument(
        "--token",
        type=named,
        help=f"token that always signs in (or {TOKEN_VARIABLE}, which no process list shows); "
        "without one, the URL that is printed is good once",
    )
    sign_in.add_argument("--no-sign-in", action="store_true", help="let anyone on this machine in")
    parser.add_argument(
        "--allowed-host",
        action="append",
        type=named,
        default=[],
        metavar="NAME",
        help="a further host name under which it may be reached",
    )
    parser.add_argument(
        "--database-url",
        metavar="URL",
        type=named,
        help="a PostgreSQL database instead of studio/studio.sqlite "
        f"(or {DATABASE_VARIABLE}, which no process list shows)",
    )
    parser.add_argument("--base-path", metavar="PATH", type=named, help="where a proxy has it: /x")
    parser.add_argument("--lang", choices=("en", "ko"), default="", help="language of all pages")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "action",
        metavar="ACTION ...",
        nargs="...",
        help="users add|list|disable|password NAME, or tokens add|list|revoke NAME; "
        "alo ui users --help shows more",
    )


def execute(options: argparse.Namespace) -> int:
    from alo.serve.http_api.guard import own_names

    # Taken out of the environment: what the runs that it starts see, they may print.
    given, _, database_url = take(TOKEN_VARIABLE), take(ALARM_SECRET), take(DATABASE_VARIABLE)
    token = options.token or given
    settings = Settings(
        options.host,
        options.port,
        own_names(options.host, options.allowed_host),
        token,
        not options.no_sign_in,
        _base_path(options.base_path or ""),
        options.lang,
        options.database_url or database_url,
    )
    workspace = Workspace(options.project)
    if options.action:
        from alo.cli.actions.ui_people import act

        return act(workspace, settings, options.action, as_json=options.json)
    from alo.ui.server import serve_studio

    def started(at: Started) -> None:
        if options.json:
            console.write_json(at._asdict())
        else:
            console.write(f"the studio of {workspace.home.name} is at {at.url}")
        if options.open:
            import webbrowser

            webbrowser.open(at.url)

    serve_studio(workspace, settings, _report, started)
    return 0


def _report(event: Event) -> None:
    """What the studio has to say of itself."""
    if isinstance(event, LogLine):
        console.write_error(event.text)


def _base_path(text: str) -> str:
    path = "/" + text.strip("/") if text.strip("/") else ""
    if not all(part.replace("-", "").replace("_", "").isalnum() for part in path.split("/")[1:]):
        raise UsageError(f"'{text}' cannot be the path of a URL", fix="for example /studio")
    return path
