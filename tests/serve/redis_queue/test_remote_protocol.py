"""A request and its answer go through Redis whole, or are refused with what is wrong."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from alo.serve.redis_queue import remote_protocol
from alo.serve.redis_queue.remote_protocol import (
    MARK,
    SERVER,
    RemoteRequest,
    TooLargeError,
    answer_of,
    result_of,
    to_payload,
)
from alo.workers.protocol import Failure, Request


@pytest.fixture
def request_of_files(tmp_path: Path) -> Request:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").write_bytes(b"\0\xff")
    return Request("r1", None, (str(tmp_path / "data"),), {"s": {"n": 1}}, files={"x/b.csv": b"2"})


def content_of(request: Request) -> Any:
    return json.loads(to_payload(request, "server1"))[MARK]


def test_a_request_arrives_with_its_files_and_args(
    request_of_files: Request, tmp_path: Path
) -> None:
    remote = RemoteRequest(content_of(request_of_files))

    there = remote.request(tmp_path / "spool")

    assert (there.id, there.args) == ("r1", {"s": {"n": 1}})
    (folder,) = map(Path, there.data)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "a.csv": b"\0\xff",
        "b.csv": b"2",
    }
    assert remote.answers == "alo_answers:server1"


@pytest.mark.parametrize("are_sent", [True, False], ids=["sent by the worker", "on the disk"])
def test_an_answer_arrives_with_its_files_or_its_failure(tmp_path: Path, are_sent: bool) -> None:
    path, content = tmp_path / "out.csv", b"1\xff"
    if not are_sent:
        path.write_bytes(content)
    contents = {path.name: content} if are_sent else None
    sent = answer_of("r1", {"result": "x"}, (str(path),), None, contents)

    result = result_of(json.loads(json.dumps(sent)), tmp_path / "there", 1.5)

    assert (result.id, result.summary, result.outputs) == ("r1", {"result": "x"}, ("out.csv",))
    assert (tmp_path / "there/out.csv").read_bytes() == b"1\xff"
    failure = Failure("E1", "n", "why")
    failed = json.loads(json.dumps(answer_of("r1", None, (), failure)))
    assert result_of(failed, tmp_path, 0).failure == failure


def test_files_that_are_too_large_are_refused_both_ways(
    request_of_files: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_protocol, "MOST_BYTES", 2)
    to_payload(request_of_files, "s")
    monkeypatch.setattr(remote_protocol, "MOST_BYTES", 1)

    with pytest.raises(TooLargeError, match="the request's data"):
        to_payload(request_of_files, "s")
    with pytest.raises(TooLargeError, match="the output"):
        answer_of("r1", {}, (str(tmp_path / "data/a.csv"),), None)


@pytest.mark.parametrize(
    "content", [{}, [], {"id": "r"}, {"id": "../r", SERVER: "s"}, {"id": "r", SERVER: "a/b"}]
)
def test_a_request_that_does_not_say_whose_it_is_is_refused(content: Any) -> None:
    with pytest.raises(ValueError, match="not of the form"):
        RemoteRequest(content)


@pytest.mark.parametrize(
    "change",
    [
        {"args": [1]},
        {"args": {"s": {"n": "\0"}}},
        {"files": [{"name": "../x", "content": ""}]},
        {"files": [{"name": "x", "content": "%"}]},
        {"files": [{"name": "x", "content": ""}] * 2},
        {"files": 1},
    ],
)
def test_contents_of_another_form_are_refused_and_nothing_is_written(
    change: dict[str, Any], tmp_path: Path
) -> None:
    content = {"id": "r", SERVER: "s", "args": {}, "files": [], **change}

    with pytest.raises(ValueError, match="not of the form"):
        RemoteRequest(content).request(tmp_path / "spool")

    assert not (tmp_path / "spool").exists()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0"])
def test_an_output_with_a_path_in_its_name_is_not_written(name: str, tmp_path: Path) -> None:
    output = {"name": name, "content": base64.b64encode(b"x").decode()}

    with pytest.raises(ValueError, match="no name of a file"):
        result_of({"id": "r", "summary": {}, "outputs": [output], "failure": None}, tmp_path, 0)
