"""The database of a shared sweep: which URLs it may have, and what of them may be stored."""

from __future__ import annotations

import pytest

from alo.batch.sweep.proposals.shared_database import check_storage, without_password
from alo.errors import UsageError


@pytest.mark.parametrize("url", ["sqlite:///x.db", "mysql://a/b", "x", "postgresql:"])
def test_what_is_no_postgresql_database_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="has to be a PostgreSQL database"):
        check_storage(url)


def test_a_refusal_does_not_show_a_password() -> None:
    with pytest.raises(UsageError) as caught:
        check_storage("mysql://me:hidden@host/d")
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("postgresql://me:hidden@host:5/d", "postgresql://me@host:5/d"),
        (
            "postgresql://host/d?password=hidden&sslmode=require",
            "postgresql://host/d?sslmode=require",
        ),
        ("postgresql://me@/d?host=/run/sockets", "postgresql://me@/d?host=/run/sockets"),
        ("", ""),
    ],
)
def test_no_password_is_stored(url: str, stored: str) -> None:
    assert without_password(url) == stored
