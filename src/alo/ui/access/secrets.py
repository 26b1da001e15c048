"""Passwords, session ids and tokens: how they are made, stored and compared.

None is stored as it is: passwords as scrypt with a salt of their own (RFC 7914), what is random
already as its SHA-256.
"""

from __future__ import annotations

import hashlib
import secrets
from hmac import compare_digest

LEAST, MOST = 8, 500  # characters of a password
_COST, _BLOCK, _PARALLEL = 2**14, 8, 1  # 16 MB of memory, some 50 ms
_NO_PASSWORD = "scrypt$00$00"  # noqa: S105 - of nobody: comparing with it takes as long


def new_secret() -> str:
    """256 random bits, as text for URLs and headers."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What is stored of a session id or a token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def hash_password(password: str) -> str:
    """What is stored of a password."""
    salt = secrets.token_bytes(16)
    return f"scrypt${salt.hex()}${_scrypt(password, salt)}"


def is_password(password: str, stored: str) -> bool:
    """Whether it is the one that was stored; takes as long where there is none."""
    _, salt, digest = (stored or _NO_PASSWORD).split("$")
    given = _scrypt(password[: MOST + 1], bytes.fromhex(salt))
    return compare_digest(given, digest) and bool(stored)


def _scrypt(password: str, salt: bytes) -> str:
    given = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(given, salt=salt, n=_COST, r=_BLOCK, p=_PARALLEL).hex()
