"""A worker's process as its front end sees it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alo.engine.request import RunRequest
from alo.errors import ServeError
from alo.serve.service import Service, prepare
from alo.workers.handle import BOOT_S, RequestTimeoutError, Worker, WorkerDiedError
from alo.workers.protocol import Finished, Message, Request, Stage, Summary

from ..serve.conftest import OUTPUT
from ..support.waiting import wait_until

MakeSolution = Callable[..., Path]
ECHO = f"self.data['result'] = str(self.args.get('word', 'none'))\n{OUTPUT}"


@pytest.fixture
def service(make_solution: MakeSolution) -> Service:
    home = make_solution(inference={"inference": ECHO}, control={"backup_artifacts": False})
    return prepare(RunRequest(home), "serve", lambda event: None)


@pytest.fixture
def worker(service: Service) -> Iterator[Worker]:
    home = service.folder.path / "worker-0"
    worker = Worker(service.job, home, service.models, service.model_id, lambda event: None)
    worker.start()
    yield worker
    worker.stop()


def asking(word: str) -> Request:
    return Request(word, args={"inference": {"word": word}})


def result_of(messages: list[Message]) -> object:
    (summary,) = [each for each in messages if isinstance(each, Summary)]
    assert isinstance(messages[-1], Finished)
    return summary.content["result"]


def nothing() -> None:
    """There is nothing to do meanwhile."""


def test_what_is_still_to_come_of_an_abandoned_request_never_answers_the_next(
    worker: Worker,
) -> None:
    first = worker.run(asking("first"), None, nothing)
    next(first)
    first.close()

    results = [result_of(list(worker.run(asking(word), None, nothing))) for word in ("a", "b")]

    assert results == ["a", "b"]


Start = Callable[..., Worker]


@pytest.fixture
def start(make_solution: MakeSolution) -> Iterator[Start]:
    """``start("code of run()", boot_s=...)``: a worker of an asset that does this."""
    started: list[Worker] = []

    def make(code: str, boot_s: float = BOOT_S) -> Worker:
        service = prepare(
            RunRequest(make_solution(inference={"inference": code})), "serve", lambda event: None
        )
        home = service.folder.path / "worker-0"
        handle = Worker(
            service.job, home, service.models, service.model_id, lambda event: None, boot_s
        )
        started.append(handle)
        handle.start()
        return handle

    yield make
    for handle in started:
        handle.stop()


def answers(worker: Worker, word: str = "a", limit_s: float | None = None) -> list[Message]:
    return list(worker.run(asking(word), limit_s, nothing))


def test_a_request_that_kills_its_worker_is_reported_how_and_the_next_one_works(
    start: Start,
) -> None:
    kill = "import os\nif self.args['word'] == 'kill': os.kill(os.getpid(), 9)\n"
    worker = start(kill + ECHO)

    with pytest.raises(WorkerDiedError, match="memory") as caught:
        answers(worker, "kill")

    assert "inference" in str(caught.value)
    assert result_of(answers(worker)) == "a"


def test_a_request_that_takes_too_long_is_ended_and_the_next_one_works(start: Start) -> None:
    wait = "import time\nif self.args['word'] == 'wait': time.sleep(600)\n"
    worker = start(wait + ECHO)

    with pytest.raises(RequestTimeoutError, match=r"longer than its timeout of 0\.2 s"):
        answers(worker, "wait", limit_s=0.2)

    assert result_of(answers(worker)) == "a"


def test_a_worker_that_died_while_it_was_free_costs_no_request(worker: Worker) -> None:
    assert worker._child is not None
    os.kill(worker._child.pid, signal.SIGKILL)

    assert result_of(answers(worker)) == "a"


def test_only_a_worker_that_is_not_warm_is_revived(worker: Worker) -> None:
    assert worker._child is not None
    pid = worker._child.pid
    worker.revive()
    assert worker._child.pid == pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not worker.is_warm)

    worker.revive()

    assert worker.is_warm
    assert worker._child is not None
    assert worker._child.pid != pid


BOOTS = "# \nfrom alolib.asset import Asset\nimport os, time\n{}\nclass UserAsset(Asset):\n"
BOOTS += "    def run(self): pass\n"


@pytest.mark.parametrize(
    ("code", "boot_s", "reported"),
    [
        ("raise ValueError('no weights')", BOOT_S, "no weights"),
        ("os.kill(os.getpid(), 9)", BOOT_S, "cannot be warmed up: its process"),
        ("time.sleep(600)", 1.0, "is not warm after 1 s"),
    ],
)
def test_a_pipeline_that_cannot_be_warmed_up_says_why(
    start: Start, code: str, boot_s: float, reported: str
) -> None:
    with pytest.raises(ServeError) as caught:
        start(BOOTS.format(code), boot_s)

    assert reported in f"{caught.value} {caught.value.user_traceback}"


def test_a_check_passes_only_where_the_request_is_answered(start: Start) -> None:
    worker = start("if self.args['word'] == 'bad': raise ValueError('of no use')\n" + ECHO)
    gone = Request("gone", data=("/no/such/folder",))

    worker.check(asking("good"), None, may_be_gone=False)
    with pytest.raises(ServeError, match=r"the check failed: .*of no use"):
        worker.check(asking("bad"), None, may_be_gone=True)
    worker.check(gone, None, may_be_gone=True)
    with pytest.raises(ServeError, match="the check failed"):
        worker.check(gone, None, may_be_gone=False)


def test_a_worker_that_replaces_another_has_its_place_and_its_process(worker: Worker) -> None:
    sibling = worker.sibling(worker._models, "another")
    sibling.start()
    assert sibling._child is not None
    pid, home = sibling._child.pid, worker.home

    worker.replace_with(sibling)

    assert worker._child is not None
    assert (worker._child.pid, worker.model_id) == (pid, "another")
    assert worker.home != home
    assert not home.exists()
    assert result_of(answers(worker)) == "a"


@pytest.mark.parametrize(
    ("takes_outputs", "is_large"), [(True, True), (True, False), (False, True)]
)
def test_outputs_stay_until_they_are_released_where_someone_takes_those_that_are_not_small(
    start: Start, takes_outputs: bool, is_large: bool
) -> None:
    fill = "\nPath(self.asset.get_output_path(), 'out.csv').write_text('x' * 20_000)"
    worker = start(ECHO + fill * is_large)
    request = asking("a")._replace(takes_outputs=takes_outputs)
    messages = worker.run(request, None, lambda: None)
    summary = next(each for each in messages if isinstance(each, Summary))
    outputs = [Path(each) for each in summary.outputs]
    assert outputs
    assert (summary.contents is not None) == (takes_outputs and not is_large)

    if takes_outputs and is_large:
        assert isinstance(next(messages), Finished)
        assert all(each.is_file() for each in outputs)
        assert not list(messages)
    wait_until(lambda: not any(each.exists() for each in outputs))
    list(messages)
    assert result_of(answers(worker)) == "a"


@pytest.mark.parametrize("is_followed", [True, False])
def test_only_who_follows_a_request_is_sent_its_stages(worker: Worker, is_followed: bool) -> None:
    request = asking("a")._replace(is_followed=is_followed)

    messages = list(worker.run(request, None, nothing))

    stages = [each.step for each in messages if isinstance(each, Stage)]
    assert ("inference" in stages) == bool(stages) == is_followed
    assert result_of(messages) == "a"


@pytest.mark.parametrize("is_followed", [True, False])
def test_the_step_in_which_a_worker_has_died_is_named(
    make_solution: MakeSolution, is_followed: bool
) -> None:
    home = make_solution(
        inference={"first": OUTPUT, "second": "import os\nos.kill(os.getpid(), 9)"}
    )
    service = prepare(RunRequest(home), "serve", lambda event: None)
    place = service.folder.path / "worker-0"
    worker = Worker(service.job, place, service.models, service.model_id, lambda event: None)
    worker.start()
    try:
        with pytest.raises(WorkerDiedError, match="second"):
            list(worker.run(Request("r", is_followed=is_followed), None, nothing))
    finally:
        worker.stop()
