"""Passwords and tokens are stored so that nobody can read them back."""

from __future__ import annotations

from alo.ui.access.secrets import hash_password, is_password, new_secret


def test_a_password_is_known_again_and_no_two_are_stored_alike() -> None:
    one, other = hash_password("a password"), hash_password("a password")

    assert one != other
    assert is_password("a password", one)
    assert not is_password("a passwore", one)
    assert not is_password("", one)


def test_where_there_is_no_password_none_is_right() -> None:
    assert not is_password("", "")
    assert not is_password("a password", "")


def test_secrets_are_long_and_never_the_same() -> None:
    made = {new_secret() for _ in range(100)}

    assert len(made) == 100
    assert min(map(len, made)) >= 43
