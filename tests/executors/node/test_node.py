"""A node that is asked by hand."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.data.object_store import Bucket as BucketThere
from tests.data.object_store import Proxy
from tests.support.waiting import wait_until

from alo.data.location import RemoteLocation
from alo.engine.checks.preflight import check_solution
from alo.engine.request import RunRequest
from alo.errors import ExecutorError
from alo.executors.node.feeding import Bucket, bring, check_node
from alo.executors.node.link import PIECE
from alo.executors.node.node import MOST_WAITING, Node, Silence
from alo.executors.node.order import Arriving, Missing, Order, Piece, Unfit
from alo.executors.node.parcel import Parcel
from alo.executors.task import INTERRUPTED, SUCCESS, TRIAL, Chunk, Done, Lost, RunEvent, Task

TRAIN = """
import os, signal, time
how = self.args["how"]
if how in ("hang", "deaf"):
    if how == "deaf":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.write(1, b"hanging")
    time.sleep(600)
if how == "full":
    raise OSError(28, "No space left on device")
if how == "print":
    for _ in range(1000):
        os.write(1, b"x" * 50_000)
self.asset.save_summary("ok", 0.5)
"""


@pytest.fixture
def home(make_solution: Callable[..., Path]) -> Path:
    return make_solution({"train": TRAIN}, args={"train": {"how": "well"}})


@pytest.fixture
def project(home: Path) -> Parcel:
    return Parcel.of_folder(home)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path / "node", "here", silent_s=2.0)
    yield made
    made.close()
    assert list((tmp_path / "node/scratch").iterdir()) == []


def order(home: Path, project: Parcel, how: str) -> bytes:
    jobs: dict[str, Any] = {job.pipeline.kind: job for job in check_solution(RunRequest(home)).jobs}
    task = Task(id="1", kind=TRIAL, pipelines=("train",), args={"train": {"train": {"how": how}}})
    return pickle.dumps(Order(task=task, jobs=jobs, project=project.digest, executor="test"))


def reported(node: Node, until: type = Done, max_bytes: int = PIECE) -> list[Any]:
    found: list[Any] = []
    while not any(isinstance(each, until) for each in found):
        found += [pickle.loads(each) for each in node.poll(max_bytes, 0.5)]  # noqa: S301
    return found


def test_a_task_without_its_folders_says_which_are_missing(
    home: Path, project: Parcel, node: Node
) -> None:
    node.start(order(home, project, "well"))
    assert reported(node, Missing) == [Missing((project.digest,))]
    bring(node, [project.digest], lambda digest: project)
    node.start(order(home, project, "well"))
    messages = reported(node)
    assert messages[-1].result.status == SUCCESS
    kinds = [type(each) for each in messages if not isinstance(each, Chunk)]
    assert list(dict.fromkeys(kinds)) == [RunEvent, Arriving, Piece, Done]


def test_a_task_of_which_nobody_asks_any_more_is_ended_and_counts_as_lost(
    home: Path, project: Parcel, node: Node
) -> None:
    bring(node, [project.digest], lambda digest: project)
    node.start(order(home, project, "hang"))
    messages = reported(node, Chunk)
    assert not any(isinstance(each, Done) for each in messages)
    thread = node._thread
    assert thread is not None

    wait_until(lambda: not thread.is_alive())

    assert node._work is None
    (*_, last) = reported(node, Lost)  # of a driver that was slow: nobody has interrupted the task
    assert "has not asked" in last.reason


def test_one_who_was_paused_has_not_been_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("alo.executors.node.node.time.monotonic", lambda: now[0])
    silence = Silence()

    now[0] += 60.0
    assert silence.look() == 1.0
    for _ in range(10):
        now[0] += 0.5
        silence.look()
    assert silence.look() == 6.0
    silence.end()
    assert silence.look() == 0.0


def test_a_cancelled_task_ends(home: Path, project: Parcel, node: Node) -> None:
    bring(node, [project.digest], lambda digest: project)
    node.start(order(home, project, "hang"))
    reported(node, Chunk)
    node.cancel(30.0)
    assert reported(node)[-1].result.status == INTERRUPTED


def test_a_task_that_does_not_end_by_itself_ends_at_once_when_it_is_cancelled_again(
    home: Path, project: Parcel, node: Node
) -> None:
    bring(node, [project.digest], lambda digest: project)
    node.start(order(home, project, "deaf"))
    reported(node, Chunk)
    node.cancel(600.0)
    node.poll(wait_s=0.5)
    node.cancel(0.0)
    assert reported(node)[-1].result.status == INTERRUPTED


def test_a_full_disk_is_told_with_the_node_whose_it_is(
    home: Path, project: Parcel, node: Node
) -> None:
    bring(node, [project.digest], lambda digest: project)
    node.start(order(home, project, "full"))
    error = reported(node)[-1].result.error
    assert "No space left" in error
    assert error.endswith("node: here")


def test_an_asset_that_prints_much_is_slowed_down_to_what_is_pulled(
    home: Path, project: Parcel, node: Node
) -> None:
    bring(node, [project.digest], lambda digest: project)
    node.start(order(home, project, "print"))
    size, most, result = 0, 0, None
    while result is None:
        for each in node.poll(1_000_000, 0.5):
            message = pickle.loads(each)  # noqa: S301
            if isinstance(message, Chunk):
                size += len(message.text)
            elif isinstance(message, Done):
                result = message.result
        most = max(most, node._waiting_bytes)
    assert (size, result.status) == (50_000_000, SUCCESS)
    assert most <= MOST_WAITING + 2_000_000


def test_what_cannot_be_kept_is_no_fault_of_the_task(
    home: Path, project: Parcel, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("alo.executors.node.parcel.os.write", full)
        bring(node, [project.digest], lambda digest: project)
    node.start(order(home, project, "well"))

    (unfit,) = reported(node, Unfit)

    assert "the node cannot keep what it is sent: No space left" in unfit.error.what


def test_a_node_without_a_place_for_anything_says_so_when_it_is_greeted(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    node = Node(tmp_path / "file/node", "here")

    with pytest.raises(ExecutorError, match="cannot keep what it is sent: Not a directory"):
        node.hello()
    node.close()


def test_a_node_with_another_alo_is_refused(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_node(node) == "here"
    monkeypatch.setattr("alo.executors.node.node.__version__", "9.9")
    with pytest.raises(ExecutorError, match=r"node here has ALO 9\.9, and this machine"):
        check_node(node)


def test_what_has_expired_in_the_bucket_is_missing_and_asked_for_again(
    home: Path, project: Parcel, node: Node, bucket: BucketThere, proxy: Proxy
) -> None:
    place = RemoteLocation(f"s3://{bucket.name}/x")
    wanted = replace(pickle.loads(order(home, project, "well")), transfer=place)  # noqa: S301
    node.start(pickle.dumps(wanted))
    assert reported(node, Missing) == [Missing((project.digest,))]

    Bucket(place).bring(node, [project.digest], lambda digest: project)
    assert bucket.keys() == [f"x/folders/{project.digest}"]
    node.start(pickle.dumps(wanted))
    messages = reported(node)

    assert messages[-1].result.status == SUCCESS
    assert not any(isinstance(each, Piece) for each in messages)
    (arriving,) = [each for each in messages if isinstance(each, Arriving)]
    assert bucket.get(f"x/{arriving.blob}")


def test_a_task_that_waits_for_its_folders_can_be_ended(
    home: Path, project: Parcel, node: Node, bucket: BucketThere, proxy: Proxy
) -> None:
    place = RemoteLocation(f"s3://{bucket.name}/x")
    wanted = replace(pickle.loads(order(home, project, "well")), transfer=place)  # noqa: S301
    Bucket(place).bring(node, [project.digest], lambda digest: project)
    proxy.harm = lambda what, count: (node.cancel(1.0), "")[1] if what.startswith("GET") else ""
    node.start(pickle.dumps(wanted))
    assert reported(node)[-1].result.status == INTERRUPTED
    assert not (node._store.root / "folders" / project.digest).exists()
