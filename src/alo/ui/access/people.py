"""Who may sign in: users with a role and a password, tokens for scripts, and open sessions."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import NamedTuple

from alo.database.audit import add_change
from alo.database.connection import Connection, Database
from alo.errors import UsageError
from alo.history.ids import utc_now
from alo.ui.access.roles import OPERATOR, ROLES, Person
from alo.ui.access.secrets import (
    LEAST,
    MOST,
    hash_of,
    hash_password,
    is_password,
    new_secret,
)

OWNER = "owner"  # signs in with the token that `alo ui` prints
SESSION_S = 14 * 86400
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


class User(NamedTuple):
    """Somebody who may sign in."""

    name: str
    role: str
    is_disabled: bool
    created: str


class Token(NamedTuple):
    """A bearer token of a script; what it is itself is shown once and not stored."""

    name: str
    role: str
    user: str  # on whose behalf; empty: its own
    created: str


class People:
    """Users, tokens and sessions in the studio's database, and a line of the audit of each change.

    Args:
        by: who changes them; empty: nobody whom the audit has to know.
    """

    def __init__(self, database: Database, by: str = "") -> None:
        self._database, self._by = database, by

    def changed_by(self, by: str) -> People:
        """The same, as somebody changes them."""
        return People(self._database, by)

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a user who may sign in nor a token."""
        users = self._database.read("SELECT 1 FROM people WHERE is_disabled = 0 LIMIT 1")
        return not users and not self._database.read("SELECT 1 FROM tokens LIMIT 1")

    def users(self) -> Sequence[User]:
        """All users, by name."""
        rows = self._database.read(
            "SELECT name, role, is_disabled, created FROM people ORDER BY name"
        )
        return [User(name, role, bool(off), created) for name, role, off, created in rows]

    def add(self, name: str, role: str, password: str) -> User:
        """A new user.

        Raises:
            UsageError: the name is taken, or it, the role or the password cannot be one.
        """
        _check_name(name)
        _check_role(role)
        stored = _checked_password(password)
        with self._database.transaction() as rows:
            if name == OWNER or rows.execute("SELECT 1 FROM people WHERE name = ?", (name,)):
                raise UsageError(f"there is a user '{name}' already", fix="choose another name")
            user = User(name, role, False, utc_now())
            rows.execute(
                "INSERT INTO people VALUES (?, ?, ?, 0, ?)", (name, role, stored, user.created)
            )
            self._note(rows, "user-added", name, role=role)
        return user

    def disable(self, name: str) -> None:
        """End a user's sessions and tokens, and let them sign in no more."""
        with self._database.transaction() as rows:
            self._require(rows, name)
            rows.execute("UPDATE people SET is_disabled = 1 WHERE name = ?", (name,))
            rows.execute("DELETE FROM sessions WHERE person = ?", (name,))
            rows.execute("DELETE FROM tokens WHERE person = ?", (name,))
            self._note(rows, "user-disabled", name)

    def set_password(self, name: str, password: str) -> None:
        """Another password; sessions that were open end, and a disabled user may sign in again."""
        stored = _checked_password(password)
        with self._database.transaction() as rows:
            self._require(rows, name)
            rows.execute(
                "UPDATE people SET password = ?, is_disabled = 0 WHERE name = ?", (stored, name)
            )
            rows.execute("DELETE FROM sessions WHERE person = ?", (name,))
            self._note(rows, "password-changed", name)

    def tokens(self) -> Sequence[Token]:
        """All tokens, by name."""
        rows = self._database.read("SELECT name, role, person, created FROM tokens ORDER BY name")
        return [Token(*row) for row in rows]

    def add_token(self, name: str, role: str, user: str = "") -> str:
        """A new token; returns what scripts send.

        Raises:
            UsageError: the name is taken, or there is no such user or role.
        """
        _check_name(name)
        _check_role(role)
        token = new_secret()
        with self._database.transaction() as rows:
            if rows.execute("SELECT 1 FROM tokens WHERE name = ?", (name,)):
                raise UsageError(f"there is a token '{name}' already", fix="revoke it first")
            if user:
                self._require(rows, user)
            rows.execute(
                "INSERT INTO tokens VALUES (?, ?, ?, ?, ?)",
                (name, hash_of(token), role, user, utc_now()),
            )
            self._note(rows, "token-added", name, role=role, **({"user": user} if user else {}))
        return token

    def revoke(self, name: str) -> None:
        """A token that counts no more."""
        with self._database.transaction() as rows:
            if not rows.execute("SELECT 1 FROM tokens WHERE name = ?", (name,)):
                raise UsageError(f"there is no token '{name}'", fix="alo ui tokens list")
            rows.execute("DELETE FROM tokens WHERE name = ?", (name,))
            self._note(rows, "token-revoked", name)

    def with_password(self, name: str, password: str) -> Person | None:
        """Who has this name and password; takes as long for a name that nobody has."""
        rows = self._database.read(
            "SELECT role, password FROM people WHERE name = ? AND is_disabled = 0", (name,)
        )
        role, stored = rows[0] if rows else ("", "")
        return Person(name, role) if is_password(password, stored) else None

    def with_token(self, token: str) -> Person | None:
        """Who sends a token; its role, and no more than its user has."""
        rows = self._database.read(
            "SELECT tokens.name, tokens.role, tokens.person, people.role FROM tokens"
            " LEFT JOIN people ON people.name = tokens.person AND people.is_disabled = 0"
            " WHERE tokens.hash = ?",
            (hash_of(token),),
        )
        if not rows:
            return None
        name, role, user, role_of_user = rows[0]
        if not user:
            return Person(f"token {name}", role)
        if role_of_user is None:
            return None
        return Person(user, min(role, role_of_user, key=ROLES.index))

    def open_session(self, person: Person) -> str:
        """Sign somebody in; returns the session's id."""
        session = new_secret()
        expires = _time_text(time.time() + SESSION_S)
        with self._database.transaction() as rows:
            rows.execute("DELETE FROM sessions WHERE expires < ?", (utc_now(),))
            rows.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?)",
                (hash_of(session), person.name, person.role, expires),
            )
            add_change(rows, person.name, "sign-in", person.name)
        return session

    def with_session(self, session: str) -> Person | None:
        """Who has signed in; with the role that they have by now."""
        rows = self._database.read(
            "SELECT sessions.person, sessions.role, people.role FROM sessions"
            " LEFT JOIN people ON people.name = sessions.person AND people.is_disabled = 0"
            " WHERE sessions.hash = ? AND sessions.expires >= ?",
            (hash_of(session), utc_now()),
        )
        if not rows:
            return None
        name, role, role_now = rows[0]
        if name == OWNER:
            return Person(name, role, hash_of(session).encode())
        return Person(name, role_now, hash_of(session).encode()) if role_now else None

    def close_session(self, person: Person) -> None:
        """Sign somebody out."""
        with self._database.transaction() as rows:
            rows.execute("DELETE FROM sessions WHERE hash = ?", (person.session.decode(),))
            add_change(rows, person.name, "sign-out", person.name)

    def _note(self, rows: Connection, act: str, target: str, **after: object) -> None:
        if self._by:
            add_change(rows, self._by, act, target, after=after)

    def _require(self, rows: Connection, name: str) -> None:
        if not rows.execute("SELECT 1 FROM people WHERE name = ?", (name,)):
            raise UsageError(f"there is no user '{name}'", fix="alo ui users list")


def owner() -> Person:
    """Who started the studio."""
    return Person(OWNER, OPERATOR)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"'{name}' cannot be a name",
            fix="use letters, digits, and . _ @ -; 64 characters at most",
        )


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise UsageError(f"there is no role '{role}'", fix=f"the roles are {', '.join(ROLES)}")


def _checked_password(password: str) -> str:
    if not LEAST <= len(password) <= MOST:
        raise UsageError(f"a password has {LEAST} to {MOST} characters")
    return hash_password(password)


def _time_text(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
