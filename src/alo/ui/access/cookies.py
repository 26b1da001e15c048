"""The cookie that holds a browser's session."""

from __future__ import annotations

SESSION = "alo_session"
_RULES = "Path=/; HttpOnly; SameSite=Strict"


def session_cookie(session: str) -> tuple[str, str]:
    """The header that gives a browser its session."""
    return "Set-Cookie", f"{SESSION}={session}; {_RULES}"


def ended_session() -> tuple[str, str]:
    """The header that takes it away."""
    return "Set-Cookie", f"{SESSION}=; {_RULES}; Max-Age=0"
