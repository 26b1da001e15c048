"""Which service does what somebody tries, and who may fetch what it has made."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.waiting import PATIENCE_S

from alo.layout import Workspace
from alo.serve.address import AddressNote
from alo.serve.folders import ServiceFolder, make_folder
from alo.ui.problems import UiError
from alo.ui.try_out.client import Outcome, Sent
from alo.ui.try_out.try_out import MOST_AT_ONCE, WORKER, TryOut

SENT = Sent(csv="a\n1\n")


class OwnStub:
    """In the place of the studio's own service; a request takes until it is let go."""

    pid, has_stopped = 0, False

    def __init__(self) -> None:
        self.begun, self.gate = threading.Semaphore(0), threading.Event()
        self.gate.set()

    @contextmanager
    def in_use(self) -> Iterator[Any]:
        yield self

    def infer(self, sent: Sent) -> Outcome:
        self.begun.release()
        assert self.gate.wait(PATIENCE_S)
        return Outcome(200, {"id": "1", "status": "success"})

    def stop(self) -> None:
        self.has_stopped = True

    def hang_up(self) -> None:
        self.gate.set()

    def output(self, request_id: str, name: str) -> Iterator[bytes]:
        return iter([name.encode()])


@pytest.fixture
def own() -> OwnStub:
    return OwnStub()


@pytest.fixture
def try_out(tmp_path: Path, own: OwnStub) -> TryOut:
    return TryOut(Workspace(tmp_path), own)  # type: ignore[arg-type]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ServiceFolder]:
    """One that says where it is, and does not answer there."""
    folder = make_folder(Workspace(tmp_path), "serve")
    AddressNote(folder.path, "http://127.0.0.1:1", wants_token=False).keep()
    yield folder
    folder.remove()


def status_of(try_out: TryOut, service: str) -> int:
    with pytest.raises(UiError) as caught:
        try_out.infer(SENT, service, "", "ada")
    return caught.value.status


def test_where_no_service_answers_the_studios_own_does(
    try_out: TryOut, service: ServiceFolder
) -> None:
    assert [each.name for each in try_out.services()] == [service.name]

    assert try_out.infer(SENT, "", "", "ada").service == WORKER


def test_one_that_is_wanted_by_name_and_away_is_said(
    try_out: TryOut, service: ServiceFolder
) -> None:
    assert status_of(try_out, service.name) == 503
    assert status_of(try_out, "serve-nobody") == 404


def test_the_studios_own_is_none_of_the_services(
    try_out: TryOut, own: OwnStub, service: ServiceFolder
) -> None:
    own.pid = os.getpid()

    assert try_out.services() == []


def test_outputs_are_for_who_has_asked(try_out: TryOut) -> None:
    try_out.infer(SENT, WORKER, "", "ada")

    assert list(try_out.output("1", "a.csv", "ada")) == [b"a.csv"]
    for request_id, person in (("1", "eve"), ("2", "ada")):
        with pytest.raises(UiError) as caught:
            try_out.output(request_id, "a.csv", person)
        assert caught.value.status == 404


def test_with_the_studio_nobody_waits_for_an_answer_any_more(try_out: TryOut, own: OwnStub) -> None:
    own.gate.clear()
    thread = threading.Thread(target=try_out.infer, args=(SENT, WORKER, "", "ada"))
    thread.start()
    assert own.begun.acquire(timeout=PATIENCE_S)

    try_out.stop()

    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert own.has_stopped


def test_only_some_are_tried_at_once(try_out: TryOut, own: OwnStub) -> None:
    own.gate.clear()
    words = (SENT, WORKER, "", "ada")
    threads = [threading.Thread(target=try_out.infer, args=words) for _ in range(MOST_AT_ONCE)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert own.begun.acquire(timeout=PATIENCE_S)

    assert status_of(try_out, WORKER) == 429

    own.gate.set()
    for thread in threads:
        thread.join()
    assert try_out.infer(SENT, WORKER, "", "ada").service == WORKER
