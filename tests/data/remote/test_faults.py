"""A server that is busy, silent or away: what is worth another try, and for how long."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from alo.data.location import LocationError
from alo.data.remote import faults, web
from alo.layout import Workspace

from ..wild_server import (
    DATE,
    Asked,
    Piece,
    file_of,
    whole,
)
from .conftest import BODY, Serve, StageUrl, staged_in

pytestmark = pytest.mark.usefixtures("impatience")


def test_a_server_that_falls_silent_is_reported(
    serve: Serve, stage_url: StageUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "SILENCE_S", 0.05)
    monkeypatch.setattr(faults, "TRIES", 2)
    server = serve(lambda asked: [0.3])

    with pytest.raises(LocationError, match=r"no byte for 0\.05 s"):
        stage_url(f"{server.url}/x.csv")


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Busy", "500 Oh", "504 Gateway"])
@pytest.mark.parametrize("after", [None, "0", "soon", DATE])
def test_a_busy_server_is_asked_again_when_it_says(
    workspace: Workspace, serve: Serve, stage_url: StageUrl, status: str, after: str | None
) -> None:
    seen: list[Asked] = []

    def answer(asked: Asked) -> list[Piece]:
        seen.append(asked)
        is_busy = len(seen) in (1, 3)
        return whole(b"", status, Retry_After=after) if is_busy else file_of(BODY)(asked)

    server = serve(answer)

    stage_url(f"{server.url}/x.csv")

    assert staged_in(workspace) == {"x.csv": BODY}
    assert len(seen) == 4


def test_a_busy_server_is_left_alone_as_long_as_it_says(serve: Serve, stage_url: StageUrl) -> None:
    seen: list[float] = []

    def answer(asked: Asked) -> list[Piece]:
        seen.append(time.monotonic())
        is_busy = len(seen) == 1
        return whole(b"", "503 Busy", Retry_After="1") if is_busy else file_of(BODY)(asked)

    stage_url(f"{serve(answer).url}/x.csv")

    assert seen[1] - seen[0] >= 1


@pytest.mark.parametrize("is_date", [True, False])
def test_a_server_that_wants_more_patience_than_there_is_is_reported(
    serve: Serve, stage_url: StageUrl, is_date: bool
) -> None:
    date = datetime.now(timezone.utc) + timedelta(hours=1)
    after = format_datetime(date, usegmt=True) if is_date else "3600"
    server = serve(lambda asked: whole(b"", "429 Too Many Requests", Retry_After=after))

    with pytest.raises(LocationError, match="429 Too Many Requests") as caught:
        stage_url(f"{server.url}/x.csv")

    assert len(server.asked) == 1
    assert "to be left alone for 3,6" in caught.value.fix.replace("3,59", "3,6")
