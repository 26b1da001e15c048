"""``alo serve`` refuses, before anything is warmed up, what would serve the wrong people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from alo.cli.main import main

Serve = Callable[..., tuple[int, str]]


@pytest.fixture
def serve(
    make_solution: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Serve:
    """``serve("--host", ...)``: the exit status, and what was said."""
    monkeypatch.delenv("ALO_TOKEN", raising=False)
    home = make_solution(inference={"a": "pass"})

    def call(*words: str) -> tuple[int, str]:
        status = main(["serve", "--project", str(home), *words])
        return status, capsys.readouterr().err

    return call


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.com"])  # noqa: S104 - what is refused
def test_an_address_for_all_needs_a_token(serve: Serve, host: str) -> None:
    status, said = serve("--host", host)

    assert status == 2
    assert "clients need a token" in said
    assert "ALO_TOKEN" in said


@pytest.mark.parametrize(
    "words",
    [("--port", "70000"), ("--port", "x"), ("--workers", "0"), ("--max-body", "-1")],
)
def test_an_option_that_cannot_be_is_refused(serve: Serve, words: tuple[str, str]) -> None:
    status, said = serve(*words)

    assert status == 2
    assert words[0] in said


def test_a_plan_without_an_inference_pipeline_is_not_served(
    make_solution: Callable[..., Path], alo: Callable[..., CompletedProcess[str]]
) -> None:
    done = alo("serve", "--port", "0", cwd=make_solution({"a": "pass"}))

    assert done.returncode == 2
    assert "inference" in done.stderr
