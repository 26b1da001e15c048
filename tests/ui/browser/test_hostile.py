"""A project that wants to run scripts in whoever looks at it: none runs, wherever it writes one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.conftest import write_asset
from tests.support.waiting import PATIENCE_S, end_all
from tests.ui.browser.conftest import Watched

from alo.history.browse import History
from alo.layout import Workspace
from alo.ui.routing.routes import ROUTES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog

FOREIGN = """<form action="@/runs" method="post"><input name="pipeline" value="train"></form>
<script>
const wanted = {method: "POST", mode: "no-cors", credentials: "include"};
const kind = {"Content-Type": "text/plain"};
Promise.allSettled([
  fetch("@/runs", {...wanted, body: new URLSearchParams({pipeline: "train"})}),
  fetch("@/deploy", {...wanted, body: '{"rollback": true}', headers: kind}),
]).then(() => document.forms[0].submit());
</script>"""
REFUSED = re.compile(  # what reports in their frames are told
    "sandbox|'connect-src' was not explicitly set|img-src data: blob:|cannot load .*/runs.json"
    "|status of 404"
)
MARKUP = (
    "<script>alert(1)</script><img src=x onerror=alert(1)><svg onload=alert(1)>"
    "\"'><b hx-get=/sign-out hx-trigger=load>{{ 7*7 }}%(x)s"
)
IN_NAMES = "<img src=x onerror=alert(1)>\"'&amp;#%3Cb%3E"  # of files: without a slash
REPORT = """<h1>report</h1><script>
try { parent.document.title = "broken out"; } catch { document.title = "kept in"; }
try { top.location = "/sign-out"; } catch {}
try { alert(1); } catch {}
try { document.cookie; } catch { document.title += ", without cookies"; }
fetch("/runs.json").then(() => { document.title = "has read"; }, () => {});
</script><form action="/deploy" method="post"><button name="rollback" value="true">x</button></form>
<script>document.forms[0].submit();</script>"""
DRAWING = """<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">
<!ENTITY file SYSTEM "file:///etc/passwd">]>
<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90" onload="alert(1)">
<script>alert(1)</script><text y="20">&b;&file;</text></svg>"""
ASSET = f"""\
import json, os
markup = {MARKUP!r}
names = {IN_NAMES!r}
print(markup)
self.asset.save_info(markup, show=True)
output, report = self.asset.get_output_path(), self.asset.get_report_path()
for name in ("t.csv", "t.txt", "t.html", "t.svg", "t.png", "t.json", "t"):
    with open(os.path.join(output, names + name), "w") as file:
        file.write("\\n".join([f'"{{markup}}",b'.replace(chr(34), "''")] * 3))
with open(os.path.join(output, "output.csv"), "w") as file:
    import csv
    csv.writer(file).writerows([[markup, "b"], [markup, 1], ["=1+1", markup]])
os.mkdir(os.path.join(output, names))
with open(os.path.join(output, names, "deep.txt"), "w") as file:
    file.write(markup)
with open(f"{{report}}/report.html", "w") as file:
    file.write({REPORT!r})
with open(f"{{report}}/drawing.svg", "w") as file:
    file.write({DRAWING!r})
with open(f"{{self.asset.get_model_path()}}/model.json", "w") as file:
    file.write("{{}}")
self.asset.save_summary(result=markup[:30], score=0.5, note=markup, probability={{markup: 1.0}})
if self.args["fail"] == "yes":
    raise ValueError(markup)
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The folder of the project, and the URL of its studio, which needs no sign-in."""
    home = tmp_path_factory.mktemp("hostile") / "a <b>project</b> & 'more'"
    step = {"step": "train", "args": {"fail": "no", "text": MARKUP}, "ui_args": ["fail", "text"]}
    plan = {
        "name": "hostile",
        "version": MARKUP,
        "user_parameters": {"train_pipeline": [step]},
        "ui_args_detail": [
            {
                "train_pipeline": [
                    {
                        "step": "train",
                        "args": [
                            {"name": "text", "type": "string", "description": MARKUP},
                            {
                                "name": "fail",
                                "type": "single_selection",
                                "selectable": ["no", "yes", MARKUP],
                            },
                        ],
                    }
                ]
            }
        ],
    }
    (home / "solution").mkdir(parents=True)
    (home / "solution" / "experimental_plan.yaml").write_text(json.dumps(plan))
    write_asset(home, "train", ASSET)
    alo = [sys.executable, "-m", "alo.cli.main"]
    for options in ([], [], ["--set", "train.fail=yes"]):
        subprocess.run([*alo, "run", *options], cwd=home, capture_output=True, check=False)
    command = [*alo, "ui", "--port", "0", "--json", "--no-sign-in"]
    with subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield home, json.loads(process.stdout.readline())["url"].rstrip("/")
        finally:
            end_all(process)


def test_no_script_runs_and_nothing_is_asked_for_by_what_a_project_has_written(
    chromium: Browser, hostile: tuple[Path, str]
) -> None:
    home, url = hostile
    runs = [each.id for each in History(Workspace(home)).list()]
    assert len(runs) == 3
    context = chromium.new_context(base_url=url)
    context.set_default_timeout(PATIENCE_S * 500)
    watched, page = Watched(context, url), context.new_page()
    dialogs: list[str] = []

    def on_dialog(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", on_dialog)
    wanted = {"pipeline": "train", "args": {"train": {"text": MARKUP}}}
    started = page.request.post("/runs", data=wanted, headers={"Origin": url})
    assert started.status == 202, started.text()
    run, failed = f"/runs/{runs[1]}", f"/runs/{runs[0]}"
    todo = [each.path for each in ROUTES if each.method == "GET" and "{" not in each.path]
    todo = [each for each in todo if each not in ("/events", "/openapi")] + [failed, run]
    todo += [f"/runs?q={'%3Cscript%3Ealert(1)%3C/script%3E'}", "/nothing/%3Cscript%3Ealert(1)"]
    todo += [f"/jobs/{started.json()['id']}", f"/compare?run={runs[1]}&run={runs[2]}&all=1"]
    todo += [f"{each}/{part}" for each in (run, failed) for part in
             ("steps", "log", "plan", "code", "again", "files", "files?folder=output")]  # fmt: skip
    seen: set[str] = set()
    while todo:
        path = todo.pop()
        page.goto(path, wait_until="load")
        seen.add(path)
        assert page.locator("main").count() == 1, path
        assert page.locator("main b[hx-get], main script, main img[src=x]").count() == 0, path
        if "/files" in path:
            links = page.locator("main a[data-action=open]").evaluate_all(
                "all => all.map(each => each.getAttribute('href'))"
            )
            todo += [each for each in links if each not in seen and each not in todo]
        if page.locator("iframe").count():
            frame = page.frames[1]
            frame.wait_for_load_state("load")
            assert "broken out" not in page.title()
            assert frame.title() in ("", "kept in, without cookies"), path
    names = [path for path in seen if "/files/" in path]

    assert dialogs == []
    assert len(names) >= 10
    # What a report tries is refused by the browser, which says so; what our pages do is not.
    assert [each for each in watched.problems if not REFUSED.search(each)] == []
    assert any("runs.json" in each for each in watched.problems)
    assert page.request.get("/models.json").json()["deployed"]["run"] in ("", "current")
    context.close()


def test_a_page_elsewhere_changes_nothing_in_a_browser_that_may(
    chromium: Browser, hostile: tuple[Path, str]
) -> None:
    _, url = hostile
    asked: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        """A site of somebody else, on another port of the same machine."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(FOREIGN.replace("@", url).encode())

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        context = chromium.new_context()
        page = context.new_page()
        before = page.request.get(f"{url}/jobs.json").json()["total"]
        page.on("response", lambda each: asked.append(f"{each.status} {each.request.method}"))
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.locator("main[data-screen=problem]").wait_for()  # of the form, which was sent last
        server.shutdown()

    assert asked.count("403 POST") == 3
    assert "200 POST" not in asked
    assert "202 POST" not in asked
    assert page.request.get(f"{url}/jobs.json").json()["total"] == before
    context.close()
