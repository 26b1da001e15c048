"""The bare route beside ``bench_studio``: the index's query, 50 rows of 10 columns, Jinja2.

python -m benchmarks.studio.plain_page PROJECT
"""

from __future__ import annotations

import json
import socket
import sqlite3
import sys
from pathlib import Path

import uvicorn
from jinja2 import Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from alo.layout import Workspace

QUERY = (
    "SELECT id, kind, status, start_time, seconds, score, result, note, train_id,"
    " (SELECT value FROM params WHERE params.run = runs.run AND step = 'step_a' AND key = 'depth')"
    " FROM runs ORDER BY start_time DESC, name DESC LIMIT 51"
)
PAGE = """<!doctype html><html lang="en"><title>Runs</title><main><h1>Runs ({{ total }})</h1><table>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</table></main></html>"""


def main(home: Path) -> None:
    path = Workspace(home).internal / "history.sqlite"
    template = Environment(autoescape=True).from_string(PAGE)

    def page(request: Request) -> HTMLResponse:
        database = sqlite3.connect(path)
        try:
            rows = database.execute(QUERY).fetchall()
            ((total,),) = database.execute("SELECT count(*) FROM runs").fetchall()
        finally:
            database.close()
        return HTMLResponse(template.render(rows=rows[:50], total=total))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        sys.stdout.write(json.dumps({"port": listening.getsockname()[1]}) + "\n")
        sys.stdout.flush()
        config = uvicorn.Config(
            Starlette(routes=[Route("/", page)]), log_config=None, lifespan="off", loop="asyncio"
        )
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
