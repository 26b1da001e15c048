"""A ticket has one answer: the result with copies of its files, or why there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.events.types import Event, LogLine
from alo.workers.protocol import Failure, Request, Summary
from alo.workers.state_machine import SendFailure
from alo.workers.ticket import Result, Ticket, TicketAnswer, do_nothing, notify


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def ticket(tmp_path: Path) -> Ticket:
    return Ticket(Request("r"), tmp_path / "outputs", do_nothing, lambda result: None)


def answer_of(ticket: Ticket, events: list[Event], most: int = 100) -> TicketAnswer:
    return TicketAnswer(ticket, most, events.append)


def output(tmp_path: Path, size: int, *, is_small: bool = True) -> Summary:
    """With a file of this size, as a worker sends it."""
    content, path = b"x" * size, tmp_path / "out.csv"
    path.write_bytes(content)
    return Summary({"result": "ok"}, (str(path),), {path.name: content} if is_small else None)


def test_small_files_stay_in_memory_and_are_not_read_again(
    ticket: Ticket, events: list[Event], tmp_path: Path
) -> None:
    answer, summary = answer_of(ticket, events), output(tmp_path, 100)
    (tmp_path / "out.csv").unlink()

    answer.send_summary(summary)
    answer.send_artifacts(summary)

    result = answer.result
    assert (result.id, result.status, result.summary) == ("r", "success", {"result": "ok"})
    assert (result.outputs, result.size) == (("out.csv",), 100)
    assert result.contents == {"out.csv": b"x" * 100}
    assert not ticket.outputs.exists()
    assert events == []


@pytest.mark.parametrize(
    ("is_small", "is_stored"),
    [(False, False), (False, True), (True, True)],
    ids=["large", "large, to be asked for later", "small, to be asked for later"],
)
def test_what_is_not_kept_in_memory_is_in_the_folder_of_the_request(
    ticket: Ticket, events: list[Event], tmp_path: Path, is_small: bool, is_stored: bool
) -> None:
    answer = answer_of(ticket._replace(is_stored=is_stored), events)
    summary = output(tmp_path, 100, is_small=is_small)

    answer.send_summary(summary)
    (tmp_path / "out.csv").unlink()
    answer.send_artifacts(summary)

    assert answer.result.outputs == ("out.csv",)
    assert not answer.result.contents
    assert answer.result.size == 100
    assert (ticket.outputs / "out.csv").read_bytes() == b"x" * 100


def test_a_request_that_is_tried_again_replaces_the_files_of_the_first_try(
    ticket: Ticket, events: list[Event], tmp_path: Path
) -> None:
    answer = answer_of(ticket._replace(is_stored=True), events)

    answer.send_summary(output(tmp_path, 2))
    answer.send_summary(output(tmp_path, 1))

    assert answer.result.status == "success"
    assert (ticket.outputs / "out.csv").read_bytes() == b"x"


@pytest.mark.parametrize("is_small", [True, False])
def test_an_output_above_the_limit_is_a_failure(
    ticket: Ticket, events: list[Event], tmp_path: Path, is_small: bool
) -> None:
    answer = answer_of(ticket, events)
    summary = output(tmp_path, 101, is_small=is_small)

    answer.send_summary(summary)
    answer.send_artifacts(summary)

    assert answer.result.failure is not None
    assert answer.result.failure.kind == "output"
    assert answer.result.summary is None
    assert not ticket.outputs.exists()


def test_an_output_that_cannot_be_copied_is_a_failure(
    ticket: Ticket, events: list[Event], tmp_path: Path
) -> None:
    answer = answer_of(ticket, events)

    answer.send_summary(Summary({}, (str(tmp_path / "gone"),)))

    assert answer.result.failure is not None
    assert "the output files cannot be written" in answer.result.failure.comment


def test_a_failure_takes_the_place_of_a_result(
    ticket: Ticket, events: list[Event], tmp_path: Path
) -> None:
    answer = answer_of(ticket, events)
    answer.send_summary(output(tmp_path, 1))

    answer.send_failure(SendFailure(Failure("E1", "x", "why"), summary_was_sent=True))

    assert (answer.result.status, answer.result.summary) == ("fail", None)


def test_without_any_word_of_the_worker_there_is_a_failure_all_the_same(
    ticket: Ticket, events: list[Event]
) -> None:
    failure = answer_of(ticket, events).result.failure

    assert failure is not None
    assert failure.kind == "died"


@pytest.mark.parametrize(
    ("kind", "warns"), [("refused", 0), ("data", 0), ("asset", 1), ("died", 1)]
)
def test_what_is_the_clients_fault_is_no_warning(
    ticket: Ticket, events: list[Event], kind: str, warns: int
) -> None:
    answer_of(ticket, events).fail(Failure("E1", "x", "why", kind=kind))

    assert [event.text for event in events if isinstance(event, LogLine)] == ["[r] why"] * warns


def test_a_front_end_that_fails_is_a_warning() -> None:
    events: list[Event] = []
    result = Result("r", {}, (), None, 0.0)

    def fail() -> None:
        raise OSError("no room")

    notify("a result", lambda: result, events.append)
    assert events == []
    notify("a result", fail, events.append)
    assert [event.text for event in events if isinstance(event, LogLine)] == [
        "a result could not be kept: no room"
    ]
