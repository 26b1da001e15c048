"""One worker's end of the queue, with a real Redis and a worker that has no process."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from alo.errors import ServeError
from alo.events.types import Event, LogLine, SettingUp
from alo.layout import Workspace
from alo.serve.folders import make_folder
from alo.serve.redis_queue import consumer as of_consumer
from alo.serve.redis_queue.answers import EdgeAnswers
from alo.serve.redis_queue.consumer import Consumer
from alo.serve.redis_queue.health import BOOTING, SERVING, Health, loops_of
from alo.serve.redis_queue.heartbeat import ALIVE, READY
from alo.serve.redis_queue.queue import ARTIFACTS, DEAD, PROCESSING, REQUESTS, SUMMARIES
from alo.serve.redis_queue.remote_protocol import to_payload
from alo.workers.pace import Pace
from alo.workers.protocol import Finished, Message, Request, Summary

from ...support.waiting import PATIENCE_S, wait_until
from ..conftest import RedisServer

METADATA = {"solution_metadata": {"pipeline": [{"type": "inference"}]}}


class StandIn:
    """Answers each request; ``faults`` are raised in place of what it is asked to do."""

    model_id = "one"

    def __init__(self, home: Path) -> None:
        self.home, self.is_warm = home, True
        self.revive_faults: list[Exception] = []
        self.run_faults: list[Exception] = []
        self.outputs: tuple[str, ...] = ()
        self.was_stopped = False

    def start(self) -> None:
        """It is warm."""

    def stop(self) -> None:
        self.was_stopped = True

    def revive(self) -> None:
        if self.revive_faults:
            raise self.revive_faults.pop(0)
        self.is_warm = True

    def steps(
        self, request: Request, limit_s: float | None, meanwhile: Callable[[], object], pace: Pace
    ) -> Iterator[Message]:
        assert pace.may_wait
        if self.run_faults:
            raise self.run_faults.pop(0)
        yield Summary({"result": request.id, "data": list(request.data)}, self.outputs)
        yield Finished(())


class Changes:
    """Notes what went well."""

    def __init__(self) -> None:
        self.samples: list[tuple[str, bool]] = []

    def booted(self, worker: object) -> None:
        """Its model can answer."""

    def restore(self, worker: object) -> None:
        """All of it is there."""

    def went_well(
        self, request: Request, content: Mapping[str, object], *, takes_data: bool
    ) -> None:
        self.samples.append((request.id, takes_data))


class Served:
    """The consumer, running in a thread."""

    def __init__(self, server: RedisServer, home: Path, ended: ExitStack) -> None:
        self.client, self.events = server.client, list[Event]()
        self.workspace = Workspace(home)
        folder = make_folder(self.workspace, "loop")
        ended.callback(folder.remove)
        worker: Any = StandIn(folder.path / "worker-0")
        changes: Any = Changes()
        self.worker, self.changes = worker, changes
        self.consumer = Consumer(
            worker,
            "w",
            lambda name: False,
            server.url,
            None,
            changes,
            Health(folder.path),
            self.events.append,
        )
        self.fault: BaseException | None = None
        self.thread = threading.Thread(target=self._run)
        ended.callback(self.end)

    def _run(self) -> None:
        try:
            self.consumer.run()
        except BaseException as error:
            self.fault = error

    def start(self) -> Served:
        self.thread.start()
        wait_until(lambda: self.status == SERVING or not self.thread.is_alive())
        return self

    @property
    def status(self) -> str:
        return next((each.status for each in loops_of(self.workspace)), "")

    def end(self) -> None:
        self.consumer.stop()
        if self.thread.is_alive():
            self.thread.join(PATIENCE_S)
        for each in (self.consumer._queue, self.consumer._heartbeat):
            each._redis.connection_pool.disconnect()

    def ask(self, content: bytes | None = None) -> dict[str, Any]:
        """Send a request; returns what is answered last."""
        self.client.rpush(REQUESTS, content or json.dumps(METADATA))
        found = self.client.blpop(ARTIFACTS, PATIENCE_S)
        self.client.delete(SUMMARIES)
        answer: dict[str, Any] = json.loads(found[1])
        return answer

    @property
    def said(self) -> str:
        return " ".join(event.text for event in self.events if isinstance(event, LogLine))


@pytest.fixture
def served(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    monkeypatch.setattr(of_consumer, "FAULT_PAUSE_S", 0.01)
    with ExitStack() as ended:
        yield Served(redis_server, tmp_path, ended)


def test_a_request_is_answered_and_is_a_sample_then(served: Served) -> None:
    answer = served.start().ask()

    assert answer["status"] == "success"
    wait_until(lambda: served.changes.samples == [(answer["message"]["result"], False)])


def test_who_ends_in_order_has_nothing_in_hand_and_is_not_alive(served: Served) -> None:
    served.start().ask()
    assert served.client.get(f"{ALIVE}w") == READY

    served.end()

    assert served.client.keys(f"{REQUESTS}*") == []
    assert served.worker.was_stopped
    assert served.fault is None


def test_a_worker_that_cannot_be_booted_is_tried_again_and_said_once_for_each_reason(
    served: Served,
) -> None:
    served.worker.is_warm = False
    served.worker.revive_faults = [ServeError(word) for word in ("broken", "broken", "still")]

    answer = served.start().ask()

    assert answer["status"] == "success"
    assert served.said.count("it is tried again: broken") == 1
    assert served.said.count("it is tried again: still") == 1
    assert served.status == SERVING


def test_no_request_is_taken_while_the_worker_cannot_be_booted(served: Served) -> None:
    served.start()
    served.worker.revive_faults = [ServeError("broken")] * 1_000
    served.worker.is_warm = False
    wait_until(lambda: served.status == BOOTING)

    served.client.rpush(REQUESTS, json.dumps(METADATA))
    wait_until(lambda: served.client.get(f"{ALIVE}w") not in (None, READY))

    assert served.client.llen(REQUESTS) == 1
    served.worker.revive_faults.clear()
    assert json.loads(served.client.blpop(ARTIFACTS, PATIENCE_S)[1])["status"] == "success"


def test_a_fault_of_ours_is_an_answer_and_the_next_request_works(served: Served) -> None:
    served.worker.run_faults = [ZeroDivisionError("of ours")]
    served.start()

    failed, answered = served.ask(), served.ask()

    assert failed["status"] == "fail"
    assert "the loop could not handle the request: ZeroDivisionError" in failed["message"]
    assert answered["status"] == "success"


def test_a_request_whose_failure_could_not_be_answered_is_taken_up_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client would wait for as long as the loop lives."""
    served.worker.run_faults = [ZeroDivisionError("of ours")]
    send, faults = EdgeAnswers.send_failure, [ZeroDivisionError("once more")]

    def faulty(self: EdgeAnswers, action: Any) -> None:
        send(self, action) if not faults else self._queue.answer(SUMMARIES, {"status": "half"})
        if faults:
            raise faults.pop()

    monkeypatch.setattr(EdgeAnswers, "send_failure", faulty)
    served.start()
    served.client.rpush(REQUESTS, json.dumps(METADATA))

    found = [served.client.blpop(name, PATIENCE_S) for name in (SUMMARIES, ARTIFACTS)]

    assert [json.loads(each[1])["status"] for each in found] == ["success", "success"]
    assert "the loop continues after a fault: ZeroDivisionError('once more')" in served.said
    assert served.client.llen(SUMMARIES) == 0


def test_a_request_that_can_never_be_answered_is_put_aside_and_others_are_served(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(self: EdgeAnswers, action: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(EdgeAnswers, "send_failure", faulty)
    served.start()
    served.client.rpush(REQUESTS, b"{")

    answer = served.ask()

    assert answer["status"] == "success"
    (letter,) = served.client.lrange(DEAD, 0, -1)
    assert "not even a failure could be answered" in letter.decode()


def test_a_large_request_is_counted_before_anything_is_done_with_it(served: Served) -> None:
    large = json.dumps({**METADATA, "more": "x" * of_consumer.LARGE}).encode()

    assert served.start().ask(large)["status"] == "success"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "the request is not JSON"),
        (b"\xff\xfe\xff", "the request is not JSON"),
        (b"[]", "is not an object of the form"),
        (b'{"solution_metadata": "{"}', "is not an object of the form"),
        (b'{"alo_request": {"id": "a"}}', "not of the form that a server sends"),
        (b'{"solution_metadata": %s1%s}' % (b"[" * 99, b"]" * 99), "objects and lists in each"),
    ],
)
def test_what_is_no_request_is_answered_in_words(served: Served, content: bytes, said: str) -> None:
    answer = served.start().ask(content)

    assert answer["status"] == "fail"
    assert said in answer["message"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_json_within_json_and_a_byte_order_mark_are_taken(served: Served, mark: bytes) -> None:
    inner = json.dumps(METADATA["solution_metadata"])

    answer = served.start().ask(mark + json.dumps({"solution_metadata": inner}).encode())

    assert answer["status"] == "success"


def test_a_request_of_a_server_is_answered_to_it_and_its_files_are_there_meanwhile(
    served: Served,
) -> None:
    served.start()
    payload = to_payload(Request("r1", files={"request/a.csv": b"1"}), "server1")

    served.client.rpush(REQUESTS, payload)
    answer = json.loads(served.client.blpop("alo_answers:server1", PATIENCE_S)[1])

    assert (answer["id"], answer["failure"]) == ("r1", None)
    wait_until(lambda: served.changes.samples == [("r1", True)])
    wait_until(lambda: not (served.worker.home / "spool/r1").exists())


@pytest.mark.parametrize("is_large", [True, False])
def test_output_files_that_cannot_be_sent_to_a_server_are_a_failure(
    served: Served, tmp_path: Path, is_large: bool
) -> None:
    if is_large:
        with open(tmp_path / "out.csv", "wb") as file:
            file.truncate(33_000_000)
    served.worker.outputs = (f"{tmp_path}/out.csv",)
    served.start()

    served.client.rpush(REQUESTS, to_payload(Request("r1"), "server1"))
    answer = json.loads(served.client.blpop("alo_answers:server1", PATIENCE_S)[1])

    assert answer["failure"]["code"] == "E162"
    said = "32 MB" if is_large else "the output files cannot be read"
    assert said in answer["failure"]["comment"]


def test_files_of_a_server_that_cannot_be_written_are_a_failure(served: Served) -> None:
    served.worker.home.mkdir(parents=True, exist_ok=True)
    (served.worker.home / "spool").touch()
    served.start()

    served.client.rpush(REQUESTS, to_payload(Request("r1"), "server1"))
    answer = json.loads(served.client.blpop("alo_answers:server1", PATIENCE_S)[1])

    assert "the files of the request cannot be written" in answer["failure"]["comment"]


def test_a_redis_that_was_away_is_reported_with_where_it_is(
    served: Served, redis_server: RedisServer
) -> None:
    served.start().ask()
    redis_server.kill()
    wait_until(lambda: "Redis is away" in served.said)
    assert redis_server.url in served.said

    redis_server.start()
    served.client = redis_server.client

    wait_until(lambda: SettingUp("Redis is back") in served.events)
    assert served.ask()["status"] == "success"


def test_a_consumer_that_is_to_end_while_redis_is_away_ends_and_leaves_what_it_has(
    served: Served, redis_server: RedisServer
) -> None:
    served.start()
    redis_server.kill()
    wait_until(lambda: "Redis is away" in served.said)

    served.end()

    assert not served.thread.is_alive()
    assert served.fault is None
    assert "ended while Redis was away" in served.said


@pytest.mark.parametrize("answers", [(), (Summary({"result": "x"}, ()), Finished(()))])
def test_an_end_without_redis_is_in_order_and_what_is_in_hand_stays_there(
    served: Served, redis_server: RedisServer, answers: tuple[Message, ...]
) -> None:
    sent = threading.Event()

    def run(*given: object) -> Iterator[Message]:
        sent.wait()
        redis_server.kill()
        served.consumer.stop()
        yield from answers

    served.worker.steps = run
    served.start()
    served.client.rpush(REQUESTS, json.dumps(METADATA))
    sent.set()

    served.thread.join(PATIENCE_S)

    redis_server.start()
    assert redis_server.client.llen(f"{PROCESSING}w") == 1
    assert served.fault is None
    assert served.worker.was_stopped
