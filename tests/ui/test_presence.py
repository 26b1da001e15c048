"""Who looks at what: told by pages, and forgotten when they tell it no more."""

from __future__ import annotations

import pytest

from alo.ui import presence
from alo.ui.presence import Presence


def test_each_person_is_where_they_said_last() -> None:
    reported = Presence()
    reported.report(1, "bob", "r:1")
    reported.report(1, "ada", "r:1")
    reported.report(2, "ada", "r:9")
    reported.report(1, "bob", "r:2")

    assert reported.of(1) == {"ada": "r:1", "bob": "r:2"}
    reported.report(1, "ada", "")
    assert reported.of(1) == {"bob": "r:2"}


def test_who_says_nothing_more_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(presence.time, "monotonic", lambda: now)
    reported = Presence()
    reported.report(1, "ada", "r:1")

    now += presence.STAYS_S
    assert reported.of(1) == {"ada": "r:1"}
    now += 1
    assert reported.of(1) == {}
