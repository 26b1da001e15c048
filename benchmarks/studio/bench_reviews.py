"""Deciding in a review: on the server, ten thousand at once, twenty people, and by keys.

A review of 100,000 records in ``studio/studio.sqlite`` on a disk: what is acknowledged is durable.
"""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from alo.database.opening import open_database
from alo.layout import Workspace
from alo.review.reviews import Reviews
from benchmarks.improve.reviewed import store_review
from benchmarks.processes import python
from benchmarks.rows import Row, show
from benchmarks.solutions import write_empty_solution
from benchmarks.studio.bench_studio import get, p95, studio

RECORDS, QUEUE, AT_ONCE = 100_000, 30_000, 10_000
SINGLE, PEOPLE, EACH_S, RATE = 500, 20, 60, 5
ROWS_BY_KEY, TIMED = 600, 200  # the first ones one by one, the others as quickly as it goes
RUN = "run-a"


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "reviewed"
        write_empty_solution(home, 1)
        for name in ("server", "keys"):
            store_review(home, name, RUN, RECORDS, QUEUE)
        with studio(home) as opened:
            rows = [*_measure_server(opened.port), *_measure_people(home, opened.port)]
            return [*rows, *_measure_keys(home, opened.port)]


def decision(row: int, key: str = "") -> dict[str, object]:
    """On a record that nobody has decided on."""
    return {
        "key": key or f"k{row}",
        "record": f"{RUN}:{row}",
        "verdict": "change",
        "label": "bad",
        "seen": None,
    }


class Client:
    """One connection that stays."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)

    def send(self, decisions: Sequence[dict[str, object]]) -> tuple[float, Counter[str]]:
        """How long it took, and how many came to which state."""
        body = json.dumps({"decisions": decisions})
        start = time.perf_counter()
        headers = {
            "Content-Type": "application/json",
            "Sec-Fetch-Site": "same-origin",
        }
        self._connection.request("POST", "/reviews/server/decisions", body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        took = time.perf_counter() - start
        if answer.status != 200:
            return took, Counter({str(answer.status): len(decisions)})
        return took, Counter(each["state"] for each in json.loads(content)["results"])

    def close(self) -> None:
        self._connection.close()


def _measure_server(port: int) -> list[Row]:
    client = Client(port)
    single = [client.send([decision(row)])[0] for row in range(SINGLE)]
    bulk: list[float] = []
    for turn in range(3):
        first = QUEUE + turn * AT_ONCE
        took, states = client.send([decision(row) for row in range(first, first + AT_ONCE)])
        if states != {"saved": AT_ONCE}:
            raise ValueError(f"not all were saved: {states}")
        bulk.append(took)
    client.close()
    pages = []
    for _ in range(5):
        start = time.perf_counter()
        get(port, "/reviews/server/label")
        pages.append(time.perf_counter() - start)
    return [
        Row("a decision on the server, p95", 1000 * p95(single), None, 20, "ms"),
        Row(f"{AT_ONCE:,} decisions in one request, durable", min(bulk), None, 1, "s"),
        Row(f"the label screen of {RECORDS:,} records", 1000 * median(pages), None, 300, "ms"),
    ]


def _measure_people(home: Path, port: int) -> list[Row]:
    """Twenty people at once, each so many a second: nothing lost, nothing refused."""
    times: list[float] = []
    states: Counter[str] = Counter()
    lock = threading.Lock()

    def decide(place: int) -> None:
        client = Client(port)
        begin = time.monotonic()
        for number in range(EACH_S * RATE):
            time.sleep(max(0.0, begin + number / RATE - time.monotonic()))
            row = 1_000 + place * EACH_S * RATE + number
            took, found = client.send([decision(row, f"p{row}")])
            with lock:
                times.append(took)
                states.update(found)
        client.close()

    threads = [threading.Thread(target=decide, args=(place,)) for place in range(PEOPLE)]
    start = time.monotonic()
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    took = time.monotonic() - start
    database = open_database(Workspace(home))
    stored = database.read("SELECT count(*) FROM decisions WHERE key LIKE 'p%'")[0][0]
    database.close()
    wanted = PEOPLE * EACH_S * RATE
    what = f"{PEOPLE} people, {RATE} a second each, for {EACH_S} s"
    return [
        Row(f"{what}: lost", wanted - stored, None, 0, ""),
        Row(f"{what}: not saved", wanted - states["saved"], None, 0, ""),
        Row(f"{what}: p95", 1000 * p95(times), None, None, "ms"),
        Row(f"{what}: it took", took, None, None, "s"),
    ]


KEYS = """
import json, sys, time
from playwright.sync_api import sync_playwright
path, url, count = sys.argv[1:]
PAINTED = '''() => {
    window.painted = [];
    document.addEventListener("keydown", () => {
        const start = performance.now();
        const before = document.querySelector("article[aria-current]")?.dataset.record;
        const look = () => {
            const now = document.querySelector("article[aria-current]")?.dataset.record;
            if (now === before) requestAnimationFrame(look);
            else {
                // A task behind the frame in which it is painted.
                const channel = new MessageChannel();
                channel.port1.onmessage = () => window.painted.push(performance.now() - start);
                requestAnimationFrame(() => channel.port2.postMessage(0));
            }
        };
        look();
    }, true);
}'''
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path=path, args=["--disable-gpu"], chromium_sandbox=False
    )
    page = browser.new_page()
    page.goto(url)
    page.locator("[data-label-page][data-ready]").wait_for()
    page.evaluate(PAINTED)
    start = time.perf_counter()
    for number in range(int(count)):
        page.keyboard.press("1" if number % 3 else "2")
        if number < {TIMED}:  # a hand presses the next key when it has seen the record
            page.wait_for_function("count => window.painted.length > count", arg=number)
    painted = page.evaluate("window.painted")[:{TIMED}]
    page.locator('[data-unsent="0"]').wait_for()
    took = time.perf_counter() - start
    browser.close()
print(json.dumps({"painted": painted, "took": took}))
"""


def _measure_keys(home: Path, port: int) -> list[Row]:
    """A script that does rows by keys, as quickly as it can."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        return []
    url = f"http://127.0.0.1:{port}/reviews/keys/label"
    script = KEYS.replace("{TIMED}", str(TIMED))
    command = python("-c", script, chromium, url, str(ROWS_BY_KEY))
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: S603 - of ours
    found = json.loads(done.stdout)
    database = open_database(Workspace(home))
    number = Reviews(database).get("keys").number
    stored = database.read("SELECT count(*) FROM decisions WHERE review = ?", (number,))[0][0]
    database.close()
    return [
        Row("from a key to the next record painted, p95", p95(found["painted"]), None, 50, "ms"),
        Row(f"{ROWS_BY_KEY} rows by keys: dropped", ROWS_BY_KEY - stored, None, 0, ""),
        Row(
            f"{ROWS_BY_KEY} rows by keys: until all is acknowledged", found["took"], None, 600, "s"
        ),
    ]


if __name__ == "__main__":
    show(measure())
