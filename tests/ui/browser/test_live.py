"""Live pages: the network is cut, a proxy holds events back, the browser's clock is wrong."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from tests.support.waiting import PATIENCE_S, end_all, wait_until
from tests.ui.browser.conftest import TOKEN, Project
from tests.ui.browser.test_keys import on_screen

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

REFUSAL = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
FAKE_STREAM = """window.tries = [];
window.EventSource = class extends EventTarget {
  constructor(url) {
    super();
    window.tries.push(Date.now());
    this.readyState = 0;
    setTimeout(() => this.dispatchEvent(new Event("error")), 0);
  }
  close() { this.readyState = 2; }
};
window.EventSource.CLOSED = 2;"""


class Proxy:
    """Between a browser and the studio; while it is cut it says that its server is away."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._is_cut = False
        self.refused = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End all connections, and refuse others from now on."""
        self._is_cut = True
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let connections through again."""
        self._is_cut = False

    def close(self) -> None:
        """End it."""
        self.cut()
        self._listening.close()
        for each in self._open:
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                self._open.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError):
            if self._is_cut:
                client.recv(1 << 16)
                client.sendall(REFUSAL)
                client.shutdown(socket.SHUT_WR)
                self.refused += 1
                return
            server = socket.create_connection(("127.0.0.1", self._to))
            self._open.append(server)
            threading.Thread(target=_copy, args=(server, client), daemon=True).start()
            _copy(client, server)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(1 << 16):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    made = Proxy(urlsplit(url).port or 0)
    yield made
    made.close()


@pytest.fixture
def signed_in(chromium: Browser, url: str) -> Iterator[Page]:
    """A page of which errors on the console are expected."""
    context = chromium.new_context(base_url=url, locale="en-US")
    context.set_default_timeout(PATIENCE_S * 500)
    page = context.new_page()
    page.goto(f"/runs?token={TOKEN}")
    yield page
    context.close()


@pytest.fixture
def running(project: Project, tmp_path: Path) -> Iterator[Path]:
    """A train run that waits for this gate, and prints a line for each ``gate0``, ``gate1``, …"""
    gate = tmp_path / "gate"
    command = [sys.executable, "-m", "alo.cli.main", "run", "--mode", "train"]
    command += ["--set", f"train.train.gate={gate}"]
    events = project.home / "train_artifacts/log/events.jsonl"
    with subprocess.Popen(command, cwd=project.home, stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: str(gate) in _text(events) and "first line" in _text(events))
            yield gate
        finally:
            gate.touch()
            end_all(process)


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text()
    return ""


def open_running(page: Page, base: str) -> None:
    page.goto(f"{base}/runs?status=running")
    page.locator('tr[data-state="running"] [data-action="open"]').click()
    page.locator(".live", has_text="first line of the step").wait_for()


def test_a_page_that_was_cut_off_continues_without_a_gap(
    signed_in: Page, project: Project, proxy: Proxy, running: Path
) -> None:
    open_running(signed_in, proxy.url)

    proxy.cut()
    for number in range(2):
        Path(f"{running}{number}").touch()
    events = project.home / "train_artifacts/log/events.jsonl"
    wait_until(lambda: "line at gate 1" in _text(events))
    wait_until(lambda: proxy.refused >= 3)
    proxy.mend()

    signed_in.locator(".live", has_text="line at gate 1").wait_for()
    lines = signed_in.locator(".live").inner_text().split("\n")
    wanted = ["first line of the step", "line at gate 0", "line at gate 1"]
    assert [each for each in lines if each in wanted] == wanted
    running.touch()
    signed_in.locator('h1 .state[data-state="success"]').wait_for()


def test_where_a_proxy_holds_events_back_the_page_polls(
    signed_in: Page, url: str, running: Path
) -> None:
    signed_in.route("**/events?*", lambda route: None)
    signed_in.goto("/runs?status=running")
    signed_in.locator('tr[data-state="running"] [data-action="open"]').click()

    signed_in.locator(".live", has_text="first line of the step").wait_for()
    Path(f"{running}0").touch()
    signed_in.locator(".live", has_text="line at gate 0").wait_for()
    assert signed_in.locator(".live").inner_text().count("first line of the step") == 1
    running.touch()
    signed_in.locator('h1 .state[data-state="success"]').wait_for()


def test_each_try_to_reconnect_waits_longer_up_to_a_limit(
    signed_in: Page, url: str, running: Path
) -> None:
    open_running(signed_in, url)
    signed_in.clock.install()
    signed_in.add_init_script(FAKE_STREAM)
    signed_in.reload()
    signed_in.wait_for_function("window.tries.length > 0")
    signed_in.clock.pause_at(signed_in.evaluate("Date.now() + 1000"))
    before = len(signed_in.evaluate("window.tries"))
    signed_in.clock.run_for(300_000)  # five minutes

    tries = signed_in.evaluate("window.tries")

    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert 10 <= len(gaps) <= 30
    for number, gap in enumerate(gaps[before:], before):
        longest = min(30_000, 500 * 2**number)
        assert longest / 2 <= gap <= longest + 2


def test_a_clock_that_is_wrong_by_a_day_changes_nothing(signed_in: Page, project: Project) -> None:
    run = f"/runs/{project.runs['first']}"
    signed_in.goto(run)
    shown = signed_in.locator("main time").all_text_contents()
    for days in (-1, 1):
        page = signed_in.context.new_page()
        page.clock.install()
        page.clock.set_system_time(page.evaluate(f"Date.now() + {days} * 86400000"))
        page.goto(run)
        assert page.locator("main time").all_text_contents() == shown
        page.keyboard.press("g")
        page.keyboard.press("m")
        on_screen(page, "models")
        page.close()
