"""What somebody may do: each role may do what those before it may."""

from __future__ import annotations

from typing import NamedTuple

VIEWER, REVIEWER, OPERATOR = ROLES = ("viewer", "reviewer", "operator")
NOBODY = ""  # may do what needs no sign-in


class Person(NamedTuple):
    """Who asks."""

    name: str
    role: str
    session: bytes = b""  # the hash of its id; empty: a bearer token, or no sign-in is needed

    def may(self, role: str) -> bool:
        """Whether this one has a role, or a higher one."""
        return role == NOBODY or (
            self.role in ROLES and ROLES.index(self.role) >= ROLES.index(role)
        )


ANYONE = Person("", NOBODY)
