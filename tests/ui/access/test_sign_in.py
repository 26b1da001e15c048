"""Signing in: the printed token is good once, and guessing slows down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alo.database.sqlite import SqliteDatabase
from alo.ui.access.people import People
from alo.ui.access.sign_in import FREE_TRIES, SignIn
from alo.ui.problems import UiError

PASSWORD = "long enough"  # noqa: S105


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    database = SqliteDatabase(tmp_path / "studio.sqlite")
    yield People(database)
    database.close()


def test_a_token_of_ours_is_good_once_a_given_one_always(people: People) -> None:
    once, always = SignIn(people), SignIn(people, "given")
    token = once.token

    assert once.with_token(token) is not None
    assert once.with_token(token) is None
    assert once.with_token("") is None
    assert [always.with_token("given") is not None for _ in range(2)] == [True, True]
    assert always.with_token("givem") is None


def test_after_some_wrong_tries_even_the_right_password_has_to_wait(
    people: People, clock: Clock
) -> None:
    people.add("ada", "viewer", PASSWORD)
    sign_in = SignIn(people, clock=clock)
    for _ in range(FREE_TRIES + 1):
        clock.now += 2
        with pytest.raises(UiError, match="wrong") as wrong:
            sign_in.with_password("ada", "nonsense")
        assert wrong.value.status == 401

    with pytest.raises(UiError, match="too many") as reported:
        sign_in.with_password("ada", PASSWORD)
    assert reported.value.status == 429
    clock.now += 60
    assert sign_in.with_password("ada", PASSWORD).name == "ada"


def test_others_need_not_wait_for_one_who_guesses(people: People, clock: Clock) -> None:
    people.add("ada", "viewer", PASSWORD)
    sign_in = SignIn(people, clock=clock)
    for _ in range(FREE_TRIES):
        with pytest.raises(UiError):
            sign_in.with_password("eve", "nonsense")

    assert sign_in.with_password("ada", PASSWORD).name == "ada"
