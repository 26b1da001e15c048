"""``logging`` speaks while a step runs, in each step anew, and is the host's again afterwards."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from alo.engine.isolation.capture import captured, show_logging
from alo.events.types import Event, LogLine

from .conftest import text_of


@pytest.fixture(autouse=True)
def _a_logger_of_the_host() -> Iterator[None]:
    yield
    logging.getLogger("of the host").handlers.clear()


def lines_of(heard: list[Event]) -> list[tuple[str, str]]:
    return [(event.level, event.text) for event in heard if isinstance(event, LogLine)]


def test_logging_is_reported_from_info_on_with_its_place(heard: list[Event]) -> None:
    with captured(heard.append):
        log = logging.getLogger("an asset's")
        log.debug("quiet")
        log.info("fitted %d trees", 3)
        log.warning("slow")
        log.critical("bad")

    assert lines_of(heard) == [("INFO", "fitted 3 trees"), ("WARNING", "slow"), ("ERROR", "bad")]
    line = next(event for event in heard if isinstance(event, LogLine))
    assert (line.source, line.file) == ("USER", "test_logging_state.py")
    assert line.function == "test_logging_is_reported_from_info_on_with_its_place"


def test_the_traceback_of_a_logged_exception_is_reported(heard: list[Event]) -> None:
    with captured(heard.append):
        try:
            1 / 0  # noqa: B018
        except ZeroDivisionError:
            logging.getLogger("an asset's").exception("failed")

    ((level, text),) = lines_of(heard)
    assert level == "ERROR"
    assert text.startswith("failed\nTraceback")
    assert text.endswith("ZeroDivisionError: division by zero")


def test_a_message_that_does_not_fit_its_arguments_ends_nothing(heard: list[Event]) -> None:
    with captured(heard.append):
        logging.getLogger("x").warning("%d %d", 1)
        print("goes on")

    assert "goes on\n" in text_of(heard)
    assert "not enough arguments" in text_of(heard, "stderr")


def test_an_assets_own_set_up_works_as_in_a_script(heard: list[Event]) -> None:
    with captured(heard.append):
        logging.basicConfig(level="DEBUG", format="%(levelname)s:%(message)s")
        logging.debug("seen")
        show_logging(heard.append)
        logging.debug("seen once")

    assert text_of(heard, "stderr") == "DEBUG:seen\nDEBUG:seen once\n"
    assert lines_of(heard) == []


def test_where_logging_is_as_steps_begin_no_logger_forgets_what_it_knows(
    monkeypatch: pytest.MonkeyPatch, heard: list[Event]
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.INFO)
    logger, forgotten = logging.getLogger("of the host"), list[int]()
    monkeypatch.setattr(logging.root.manager, "_clear_cache", lambda: forgotten.append(1))

    with captured(heard.append):
        logger.info("seen")

    assert lines_of(heard) == [("INFO", "seen")]
    assert not forgotten


def test_logging_imported_only_in_the_step_is_reported_too(in_process: Callable[..., Any]) -> None:
    done = in_process(
        """
        import sys
        assert "logging" not in sys.modules
        finders = list(sys.meta_path)
        for number in range(2):
            with captured(heard.append):
                import logging
                logging.getLogger("x").info("step %d", number)
                logging.disable(logging.CRITICAL)
        assert [event.text for event in heard] == ["step 0", "step 1"], heard
        assert sys.meta_path == finders
        logging.warning("after")
        """
    )

    assert done.stderr == "WARNING:root:after\n"


def test_logging_of_the_host_is_as_before_and_apart(heard: list[Event]) -> None:
    shown = io.StringIO()
    handler = logging.StreamHandler(shown)
    host = logging.getLogger("of the host")
    host.addHandler(handler)
    host.setLevel("ERROR")
    root = logging.root
    before = root.level, list(root.handlers), logging.lastResort, root.manager.disable

    with captured(heard.append):
        logging.info("the asset's")
        logging.basicConfig(force=True)
        logging.disable(logging.CRITICAL)
        host.setLevel("DEBUG")
        host.handlers.clear()
        host.disabled, host.propagate = True, False

    assert before == (root.level, list(root.handlers), logging.lastResort, root.manager.disable)
    assert host.handlers == [handler]
    assert (host.level, host.disabled, host.propagate) == (logging.ERROR, False, True)
    assert shown.getvalue() == ""


def test_handlers_of_one_step_do_not_tell_the_next_ones_lines_again(heard: list[Event]) -> None:
    for _ in range(3):
        with captured(heard.append):
            log = logging.getLogger("set up each time")
            log.propagate = False
            log.addHandler(logging.StreamHandler())
            log.warning("once")
            logging.getLogger("a library").addHandler(logging.NullHandler())

    assert text_of(heard, "stderr") == "once\n" * 3
    assert len(logging.getLogger("a library").handlers) == 1


def test_warnings_go_to_logging_in_every_step_that_asks_for_it(
    in_process: Callable[..., Any],
) -> None:
    done = in_process(
        """
        import logging, warnings
        shown = warnings.showwarning
        for number in range(2):
            with captured(heard.append):
                logging.basicConfig(format="logged %(message)s")
                logging.captureWarnings(True)
                warnings.warn(f"careful {number}")
        text = "".join(event.text for event in heard)
        assert text.count("logged ") == 2, text
        assert "UserWarning: careful 1" in text
        assert warnings.showwarning is shown
        """
    )

    assert done.stderr == ""
