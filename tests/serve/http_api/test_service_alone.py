"""What becomes of a request in the service, without HTTP and with workers that are not started."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from alo.engine.request import RunRequest
from alo.events.types import Event, LogLine
from alo.serve.http_api import service as http_service
from alo.serve.http_api.limits import Limits
from alo.serve.http_api.refusal import RefusedError
from alo.serve.http_api.service import HttpService
from alo.serve.redis_queue.remote_protocol import TooLargeError
from alo.serve.service import prepare
from alo.workers.pool import ENDING, NotReadyError, QueueFullError
from alo.workers.protocol import ASSET_RUN, Failure
from alo.workers.ticket import Result, Ticket

MakeSolution = Callable[..., Path]


class StandInPool:
    """Takes what it is given, and does nothing; or refuses with an exception."""

    waiting = 0

    def __init__(self) -> None:
        self.tickets: list[Ticket] = []
        self.refusal: Exception | None = None

    def submit(self, ticket: Ticket, *, always: bool = False) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.tickets.append(ticket)


class Alone:
    """The service without HTTP, and with workers that are not started."""

    def __init__(self, home: Path, limits: Limits) -> None:
        self.events: list[Event] = []
        service = prepare(RunRequest(home), "serve", self.events.append)
        self.folder = service.folder
        self.served = HttpService(service, limits, "", self.events.append)
        pool: Any = StandInPool()
        self.pool, self.served.pool = pool, pool

    def accept(self) -> str:
        """A request for later; returns its id."""
        request_id, _ = self.served.new_folder(is_stored=True)
        self.served.answer_later(request_id, {}, {"request/data.csv": b"a"})
        return request_id

    def end(self, request_id: str, **result: Any) -> None:
        """A worker has answered it."""
        (ticket,) = (each for each in self.pool.tickets if each.request.id == request_id)
        ticket.started()
        outputs = result.get("outputs", ())
        if outputs and "contents" not in result:
            ticket.outputs.mkdir(parents=True)
            for name in outputs:
                (ticket.outputs / name).write_text("a")
        ticket.done(Result(request_id, {}, outputs, None, 0.1)._replace(**result))
        ticket.released()

    def now(self, files: Mapping[str, bytes], **result: Any) -> str:
        """A request that is answered at once; returns its id."""

        async def asked() -> str:
            request_id, _ = self.served.new_folder(is_stored=False)
            answer = asyncio.ensure_future(self.served.answer_now(request_id, {}, files))
            await asyncio.sleep(0)
            self.end(request_id, **result)
            return (await answer).id

        return asyncio.run(asked())

    @property
    def said(self) -> str:
        return " ".join(event.text for event in self.events if isinstance(event, LogLine))


@pytest.fixture
def alone(make_solution: MakeSolution) -> Iterator[Callable[..., Alone]]:
    made: list[Alone] = []
    home = make_solution(inference={"inference": ""})

    def make(**limits: Any) -> Alone:
        made.append(Alone(home, Limits()._replace(**limits)))
        return made[-1]

    yield make
    for each in made:
        each.served._store.close()
        each.folder.remove()


def test_a_request_for_later_is_refused_where_as_many_wait_as_may(
    alone: Callable[..., Alone], tmp_path: Path
) -> None:
    service = alone(queue=2)
    service.pool.waiting = 2

    with pytest.raises(RefusedError) as refused:
        service.accept()

    assert (refused.value.status, refused.value.limit) == (429, "queue")
    assert not (tmp_path / "project/.alo/requests").exists()


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(QueueFullError(), 429), (NotReadyError(ENDING), 503), (TooLargeError("32 MB"), 413)],
)
def test_what_the_pool_does_not_take_is_refused_and_was_never_accepted(
    alone: Callable[..., Alone], refusal: Exception, status: int
) -> None:
    service = alone()
    service.pool.refusal = refusal

    with pytest.raises(RefusedError) as refused:
        service.accept()

    assert refused.value.status == status
    assert service.served._store.take_up() == []


def test_a_request_for_later_is_found_with_its_result_and_its_outputs(
    alone: Callable[..., Alone],
) -> None:
    service = alone()
    request_id = service.accept()
    queued = service.served.find(request_id)

    service.end(request_id, outputs=("x.csv",), size=1)

    found = service.served.find(request_id)
    assert queued is not None
    assert found is not None
    assert (queued.status, found.status) == ("queued", "success")
    path = service.served.output(request_id, "x.csv")
    assert path is not None
    assert path.read_text() == "a"
    assert not (path.parents[1] / "in").exists()  # its data is not needed any more


def test_an_output_is_none_where_its_file_or_its_name_is_not_there(
    alone: Callable[..., Alone],
) -> None:
    service = alone()
    request_id = service.accept()
    service.end(request_id, outputs=("x.csv",))
    path = service.served.output(request_id, "x.csv")
    assert path is not None

    path.unlink()

    assert service.served.output(request_id, "x.csv") is None
    assert service.served.output(request_id, "y.csv") is None
    assert service.served.output("0" * 16, "x.csv") is None
    assert service.served.find("../requests") is None


def test_a_small_output_is_in_memory_until_it_is_asked_for_and_gone_when_it_is_forgotten(
    alone: Callable[..., Alone],
) -> None:
    service = alone(kept_bytes=10)
    contents = {"x.csv": b"12345"}
    first = service.now({"request/a": b""}, outputs=("x.csv",), contents=contents, size=5)
    path = service.served.output(first, "x.csv")
    assert path is not None
    assert path.read_bytes() == b"12345"
    assert service.served.output(first, "x.csv") == path  # it is written once

    for _ in range(2):
        service.now({}, outputs=("x.csv",), contents=contents, size=5)

    assert service.served.find(first) is None
    assert not path.exists()


def test_an_output_that_is_forgotten_while_it_is_asked_for_is_not_written(
    alone: Callable[..., Alone],
) -> None:
    service = alone()
    request_id = service.now({}, outputs=("x.csv",), contents={"x.csv": b"1"})
    service.served._results.clear()

    assert service.served._written(request_id, "x.csv", b"1") is None


def test_results_beyond_what_is_kept_go_with_their_files(
    alone: Callable[..., Alone], tmp_path: Path
) -> None:
    service = alone(kept_bytes=10)
    first, second = service.accept(), service.accept()

    service.end(first, outputs=("x.csv",), size=6)
    service.end(second, outputs=("x.csv",), size=6)

    assert service.served.find(first) is None
    assert [path.name for path in (tmp_path / "project/.alo/requests").iterdir()] == [second]


def test_a_result_that_cannot_be_kept_is_given_for_as_long_as_the_service_lives(
    alone: Callable[..., Alone], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = alone()
    request_id = service.accept()

    def full(result: Result) -> None:
        raise OSError("no room")

    monkeypatch.setattr(service.served._store, "end", full)
    service.end(request_id)

    found = service.served.find(request_id)
    assert found is not None
    assert found.status == "success"
    assert f"what came of {request_id} cannot be kept: no room" in service.said


def test_an_answer_to_a_client_that_has_hung_up_troubles_no_one(
    alone: Callable[..., Alone],
) -> None:
    service = alone()

    async def asked() -> None:
        request_id, _ = service.served.new_folder(is_stored=False)
        answer = asyncio.ensure_future(service.served.answer_now(request_id, {}, {}))
        await asyncio.sleep(0)
        answer.cancel()
        await asyncio.sleep(0)
        service.end(request_id)
        await asyncio.sleep(0)

    asyncio.run(asked())


def test_the_results_that_are_kept_are_counted_too(
    alone: Callable[..., Alone], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_service, "MOST_RESULTS", 2)
    service = alone()

    ids = [service.now({}) for _ in range(3)]

    found = [service.served.find(each) is not None for each in ids]
    assert found == [False, True, True]


def test_what_an_earlier_service_had_accepted_is_served_from_the_start(
    alone: Callable[..., Alone],
) -> None:
    dead = alone()
    request_id = dead.accept()
    dead.folder.remove()

    service = alone()
    service.served._take_up()

    assert [each.request.id for each in service.pool.tickets] == [request_id]


def test_failures_are_counted_by_code_and_too_much_output_is_a_limit(
    alone: Callable[..., Alone],
) -> None:
    service = alone()
    failure = Failure(*ASSET_RUN, "too much", kind="output")

    service.now({}, summary=None, failure=failure)
    service.now({}, summary={"score": 0.5})

    text = service.served.metrics.text().decode()
    assert 'alo_model_info{model_id="none"} 1.0' in text
    assert 'alo_failures_total{code="E152"} 1.0' in text
    assert 'alo_refused_total{code="500",limit="output"} 1.0' in text
    assert "alo_score_count 1.0" in text
