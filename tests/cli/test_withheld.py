"""Secrets leave the environment, and a command that continues elsewhere gets them again."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from alo.cli import withheld
from alo.cli.reexec import reexec
from alo.cli.withheld import take, whole_environment
from alo.engine.setup import ContinueIn

SECRET = "s3cret"  # noqa: S105 - of a test


@pytest.fixture(autouse=True)
def _nothing_taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(withheld, "_taken", {})
    return


def test_what_is_taken_is_in_the_environment_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALO_TOKEN", SECRET)

    assert take("ALO_TOKEN") == SECRET
    assert "ALO_TOKEN" not in os.environ
    assert take("ALO_TOKEN") == ""  # the next command of this process is another one
    assert whole_environment() == {**os.environ, "ALO_TOKEN": SECRET}


def test_a_command_that_continues_in_another_environment_has_its_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALO_TOKEN", SECRET)
    take("ALO_TOKEN")
    given: list[dict[str, str]] = []

    def execve(path: str, words: list[str], environment: dict[str, str]) -> None:
        given.append(environment)

    monkeypatch.setattr("os.execve", execve)

    reexec(ContinueIn("/x/bin/python", "abc"), ["serve"])

    assert given[0]["ALO_TOKEN"] == SECRET
