"""Who looks at what: told by pages, and forgotten when they tell it no more."""

from __future__ import annotations

import pytest

from alo.ui import presence
from alo.ui.presence import Presence


def test_each_person_is_where_they_said_last() -> None:
    told = Presence()
    told.report(1, "bob", "r:1")
    told.report(1, "ada", "r:1")
    told.report(2, "ada", "r:9")
    told.report(1, "bob", "r:2")

    assert told.of(1) == {"ada": "r:1", "bob": "r:2"}
    told.report(1, "ada", "")
    assert told.of(1) == {"bob": "r:2"}


def test_who_says_nothing_more_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(presence.time, "monotonic", lambda: now)
    told = Presence()
    told.report(1, "ada", "r:1")

    now += presence.STAYS_S
    assert told.of(1) == {"ada": "r:1"}
    now += 1
    assert told.of(1) == {}
