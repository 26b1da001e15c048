"""The ways to sign in: the token that ``alo ui`` prints, and name and password, which slow down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from hmac import compare_digest

from alo.ui.access.people import People, owner
from alo.ui.access.roles import Person
from alo.ui.access.secrets import new_secret
from alo.ui.problems import UiError

FREE_TRIES = 5  # wrong ones, before the next has to wait
LONGEST_WAIT_S = 60.0
FORGOTTEN_S = 900.0
MOST_NAMES = 10_000  # of which wrong tries are remembered


class SignIn:
    """Whoever may sign in to one studio.

    Args:
        token: that is always good; empty: a new one that is good once.
    """

    def __init__(
        self, people: People, token: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._people, self._clock = people, clock
        self._lock = threading.Lock()
        self._is_good_once = not token
        self.token = token or new_secret()
        self._wrong: dict[str, tuple[int, float]] = {}  # name → wrong tries, and when the last was

    def with_token(self, token: str) -> Person | None:
        """The owner, if this is the token."""
        with self._lock:
            known = self.token
            if not known or not compare_digest(token.encode(), known.encode()):
                return None
            if self._is_good_once:
                self.token = ""
            return owner()

    def with_password(self, name: str, password: str) -> Person:
        """Who has this name and password.

        Raises:
            UiError: 401: nobody; 429: there were too many wrong tries.
        """
        self._check_pace(name)
        person = self._people.with_password(name, password)
        with self._lock:
            if person is None:
                count, _ = self._wrong.get(name, (0, 0.0))
                if len(self._wrong) >= MOST_NAMES:
                    self._wrong.pop(next(iter(self._wrong)))
                self._wrong[name] = (count + 1, self._clock())
            else:
                self._wrong.pop(name, None)
        if person is None:
            raise UiError(401, "the name or the password is wrong")
        return person

    def _check_pace(self, name: str) -> None:
        with self._lock:
            count, last = self._wrong.get(name, (0, 0.0))
            since = self._clock() - last
            if since > FORGOTTEN_S:
                self._wrong.pop(name, None)
                return
        wait = min(LONGEST_WAIT_S, 2.0 ** (count - FREE_TRIES)) if count >= FREE_TRIES else 0.0
        if since < wait:
            raise UiError(
                429, "too many wrong tries", fix=f"try again in {wait - since:.0f} seconds"
            )
