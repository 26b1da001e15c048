"""Each role may do what those before it may."""

from __future__ import annotations

from alo.ui.access.roles import ANYONE, NOBODY, ROLES, Person


def test_each_role_has_those_before_it() -> None:
    for at, role in enumerate(ROLES):
        may = [Person("a", role).may(each) for each in ROLES]
        assert may == [number <= at for number in range(len(ROLES))]


def test_who_has_not_signed_in_may_only_do_what_needs_no_role() -> None:
    assert ANYONE.may(NOBODY)
    assert not any(ANYONE.may(role) for role in ROLES)
    assert not Person("a", "king").may(ROLES[0])
