"""What ``alo ui`` was started with."""

from __future__ import annotations

from typing import NamedTuple

DATABASE_VARIABLE = "ALO_DATABASE_URL"  # in the place of --database-url: it may hold a password
PERSON_VARIABLE = "ALO_PERSON"  # of a command of a job: who has asked for it


class Settings(NamedTuple):
    """Of one studio."""

    host: str = "127.0.0.1"
    port: int = 8811  # 0: any free one
    allowed_hosts: frozenset[str] = frozenset()  # names beside those of loopback
    token: str = ""  # that signs the owner in, always; empty: one that is good once
    needs_sign_in: bool = True
    base_path: str = ""  # where a proxy has the studio: /studio
    language: str = ""  # en or ko; empty: what the browser asks for
    database_url: str = ""  # of PostgreSQL; empty: studio/studio.sqlite
