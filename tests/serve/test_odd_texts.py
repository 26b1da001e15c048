"""Texts that no file, answer or key can hold cost the request that has them, and no other."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.serve.file_names import ReservedNameError, checked_file_name
from alo.serve.redis_queue.remote_protocol import result_of
from alo.texts import odd_text
from alo.workers import request_run as pipeline
from alo.workers.protocol import Failure
from alo.workers.warm_pipeline import WarmPipeline

from ..support.waiting import PATIENCE_S
from .conftest import OUTPUT, Edge, RunningLoop

MakeSolution = Callable[..., Path]
ODD = ["\ud800", "a\0b", "\udcff", "\ud83d"]
PLACES = ["/tmp/{}/", "s3://bucket/{}/", "http://127.0.0.1:1/{}", "{}"]  # noqa: S108


@pytest.fixture
def running(make_solution: MakeSolution, loop: Callable[..., RunningLoop]) -> Iterator[RunningLoop]:
    """A loop that lives, with the worker that it began with, to the end of the test."""
    echo = 'self.data["result"] = str(self.args.get("word", "none"))'
    home = make_solution(inference={"input": echo, "output": OUTPUT})
    started = loop(home)
    (worker,) = started.workers()
    yield started
    assert started.process.poll() is None
    assert started.workers() == [worker]


class Ear:
    """Codes of failures, as they are published."""

    def __init__(self, edge: Edge) -> None:
        self._heard = edge.redis.pubsub()
        self._heard.subscribe("alo_fail")
        assert self._heard.get_message(timeout=PATIENCE_S)

    def code(self) -> str:
        message = self._heard.get_message(timeout=PATIENCE_S)
        return json.loads(message["data"])["ERROR_CODE"] if message else "none"


def test_an_odd_text_fails_with_the_code_of_its_place(running: RunningLoop, edge: Edge) -> None:
    heard = Ear(edge)
    for text in ODD:
        for place in PLACES:
            where = place.format(text)
            for options in ({"dataset_uri": [where]}, {"dataset_uri": where}):
                summary, artifacts = edge.ask(**options)
                assert (summary["status"], artifacts["status"]) == ("fail", "fail")
                assert heard.code() == "E141", (place, text, summary)
            if not place.startswith("http"):
                assert edge.ask(model_uri=where)[0]["status"] == "fail"
                assert heard.code() == "E141", (place, text)
        for where in (f"s3://bucket/{text}/", f"/nowhere/\0{text}/"):
            summary, artifacts = edge.ask(artifact_uri=where)
            assert (summary["status"], artifacts["status"]) == ("success", "fail")
            assert heard.code() == "E162", (where, artifacts)
        for args in (
            {f"in{text}": {"word": "x"}},
            {"input": {f"wo{text}": "x"}},
            {"input": {"word": text}},
            {"input": {"word": ["x", {"y": text}]}},
        ):
            summary, artifacts = edge.ask(args=args)
            assert (summary["status"], artifacts["status"]) == ("fail", "fail")
            assert heard.code() == "E112", (args, summary)
        edge.ask({"solution_metadata": {**edge.metadata(), "metadata_version": text}})
        assert heard.code() == "E112"
    assert edge.ask(args={"input": {"word": "fine"}})[0]["message"]["result"] == "fine"
    assert edge.left() == {}


def test_what_is_not_text_at_all_is_no_request(running: RunningLoop, edge: Edge) -> None:
    heard = Ear(edge)
    for payload in (
        b"\xff",
        b'{"solution_metadata": {"pipeline": "\xed\xa0\x80"}}',
        b'{"solution_metadata": "\\ud800"}',
        b'{"solution_metadata": "{\\"pipeline\\": \\ud800}"}',
        b"\0",
        b"",
    ):
        summary, artifacts = edge.ask(payload)
        assert (summary["status"], artifacts["status"]) == ("fail", "fail"), payload
        assert heard.code() == "E111", payload
    assert edge.ask("\ufeff{}".encode())[0]["status"] == "fail"
    assert heard.code() == "E111"
    assert edge.ask()[0]["status"] == "success"
    assert edge.left() == {}


def remote(**changes: Any) -> dict[str, Any]:
    file = {"name": "x.csv", "content": base64.b64encode(b"a\n1\n").decode()}
    content = {"id": "r1", "door": "d1", "args": {}, "files": [file], **changes}
    return {"alo_request": content}


def test_what_only_looks_like_a_request_of_a_server_is_answered_as_any_other(
    running: RunningLoop, edge: Edge
) -> None:
    heard = Ear(edge)
    for changes in (
        {"args": {"input": {"word": "\ud800"}}},
        {"args": {"input": {"word": "a\0"}}},
        {"args": {"in\0put": {}}},
        {"args": 7},
        {"files": [{"name": "\ud800", "content": ""}]},
        {"files": [{"name": "a\0", "content": ""}]},
        {"files": [{"name": "../x", "content": ""}]},
        {"files": [{"name": "x", "content": "%%%%"}]},
        {"files": [{"name": "x", "content": ""}, {"name": "x", "content": "YQ=="}]},
        {"files": None},
        {"door": "\ud800"},
        {"door": "a/b"},
        {"door": None},
        {"id": "\udcff\0"},
        {"id": 1},
    ):
        summary, artifacts = edge.ask(remote(**changes))
        assert (summary["status"], artifacts["status"]) == ("fail", "fail"), changes
        assert heard.code() == "E111", changes
    edge.send(remote())
    assert json.loads(edge.redis.blpop("alo_answers:d1", 30)[1])["failure"] is None
    assert edge.left() == {}


@pytest.mark.parametrize("name", ["a\\b.csv", "x\ny.csv", "\udcff.csv", "x" * 250])
def test_an_output_may_have_any_name_that_files_have(tmp_path: Path, name: str) -> None:
    outputs = [{"name": name, "content": base64.b64encode(b"1").decode()}]
    content = {"id": "r", "summary": {}, "outputs": outputs, "failure": None}

    result = result_of(content, tmp_path, 0.1)

    assert result.outputs == (name,)
    assert (tmp_path / name).read_bytes() == b"1"


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\0"])
def test_an_output_cannot_leave_its_folder(tmp_path: Path, name: str) -> None:
    content = {
        "id": "r",
        "summary": {},
        "outputs": [{"name": name, "content": ""}],
        "failure": None,
    }

    with pytest.raises(ValueError, match="no name"):
        result_of(content, tmp_path, 0.1)


@given(st.text())
def test_a_name_that_is_taken_can_be_that_of_a_file(name: str) -> None:
    try:
        taken = checked_file_name(name)
    except ReservedNameError:
        return

    assert taken == name
    assert 0 < len(name.encode()) <= 200
    assert Path("folder", name).parent == Path("folder")


json_values = st.recursive(
    st.none() | st.integers() | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
)


@given(json_values, st.sampled_from(ODD))
def test_an_odd_text_is_found_wherever_it_is(content: Any, odd: str) -> None:
    assert odd_text(content) is None
    assert odd_text([content, {"x": [content, {odd: content}]}]) == ascii(odd)
    assert odd_text({"a": {"b": [odd]}}) == ascii(odd)
    assert odd_text({"a": {"b": [odd]}}, but=("b",)) is None


@pytest.mark.parametrize(
    ("function", "code"),
    [
        ("_with_args", "E112"),
        ("list_sources", "E141"),
        ("check_results", "E161"),
    ],
)
def test_a_fault_of_ours_costs_its_request_alone(
    function: str, code: str, make_solution: MakeSolution, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alo.engine.checks.preflight import check_plan
    from alo.layout import Workspace
    from alo.plan.load import load_plan
    from alo.workers.protocol import Finished, Request

    home = make_solution(inference={"output": "self.data = {}\n" + OUTPUT})
    (home / "data").mkdir()
    (home / "data/x.csv").write_text("a\n1\n")
    plan = load_plan(home / "solution/experimental_plan.yaml", home=home)
    (job,) = check_plan(plan, Workspace(home), "inference").jobs
    warm = WarmPipeline(job, home / "own", home / "models", "none", lambda event: None)
    request = Request("1", None, (str(home / "data"),))
    reported: list[object] = []

    def fail(*args: object, **options: object) -> None:
        raise ZeroDivisionError("of ours")

    with monkeypatch.context() as patched:
        patched.setattr(pipeline, function, fail)
        warm.run(request, reported.extend)
    assert isinstance(reported[-1], Failure)
    assert reported[-1].code == code
    assert "ZeroDivisionError" in reported[-1].comment

    warm.run(request, reported.extend)
    assert isinstance(reported[-1], Finished)
