"""Which run is deployed: a file that people choose with, and that services write to."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.errors import HistoryError
from alo.history.deployment import CURRENT, FAILED, Deployment, read_deployment
from alo.layout import Workspace


@pytest.fixture
def home(workspace: Workspace) -> Path:
    (workspace.home / "solution").mkdir(exist_ok=True)
    return workspace.home


def test_a_choice_that_is_taken_back_before_services_switch_leaves_a_way_back() -> None:
    now = Deployment().choose("two", "me", "one")  # and services switch to it
    now = now.choose("one", "me", "two")  # no service has yet, when

    now = now.choose("two", "me", "two")

    assert (now.run, now.before) == ("two", "one")


def test_two_choices_within_a_second_are_two() -> None:
    """Services follow the second one too: the moment is what tells them apart."""
    first = Deployment().choose("two", "me", CURRENT)

    assert first.choose("", "me", "two").when != first.when


def test_a_model_that_failed_its_check_is_no_way_back() -> None:
    now = Deployment().choose("two", "me", "one").choose("broken", "me", "two")

    now = now.checked("broken", FAILED).choose("two", "me", "two")

    assert (now.run, now.before) == ("two", "")


def test_a_file_of_the_first_format_is_read(home: Path) -> None:
    (home / "solution/deployment.json").write_text(
        json.dumps({"run": "a", "previous": "b", "shadow": "c"})
    )

    assert read_deployment(Workspace(home)) == Deployment("a", "b", "c")


@pytest.mark.parametrize(
    "content",
    [
        {"format": 3},
        {"format": 2, "chosen": []},
        {"format": 2, "chosen": {"run": 1}},
        {"format": 2, "checks": {"a": {"verdict": []}}},
        {"format": 2, "services": {"a": 1}},
        [],
        "x",
    ],
)
def test_a_file_of_another_form_is_refused(home: Path, content: object) -> None:
    (home / "solution/deployment.json").write_text(json.dumps(content))

    with pytest.raises(HistoryError, match="cannot be read"):
        read_deployment(Workspace(home))


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_refused_and_never_waited_for(
    home: Path, make: Callable[[Path], None]
) -> None:
    path = home / "solution/deployment.json"
    path.unlink(missing_ok=True)
    make(path)

    with pytest.raises(HistoryError, match="cannot be read"):
        read_deployment(Workspace(home))
