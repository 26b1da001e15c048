"""Where Redis is: ``host:port``, or a URL for TCP, TLS, a socket or Sentinel; and its client."""

from __future__ import annotations

import os
import re
from typing import Any
from urllib.parse import unquote, urlsplit

from alo.errors import UsageError
from alo.masking import masked

VARIABLE = "ALO_REDIS_URL"
SCHEMES = ("redis", "rediss", "unix", "redis+sentinel")
ANSWER_S = 10.0  # without which a connection counts as dead
FORMS = "host:port, redis://, rediss://, unix:// or redis+sentinel://host:port,host:port/master"


def find_url(given: str, system: str) -> str:
    """Where Redis is: what was given, the environment, or the solution metadata.

    Raises:
        UsageError: nothing says where, or what does makes no sense.
    """
    if named := given or os.environ.get(VARIABLE, ""):
        return whole_url(named)
    if system:
        from alo.plan.metadata import read_metadata

        metadata = read_metadata(system)
        if metadata.redis_url:
            return whole_url(metadata.redis_url, metadata.redis_db_number)
    raise UsageError(
        "nothing says where Redis is",
        fix="give --redis URL, or --system with edgeapp_interface.redis_server_uri, "
        f"or set {VARIABLE}",
    )


def whole_url(text: str, db: int = 0) -> str:
    """A URL from what the metadata or the user has.

    Args:
        db: the database, where the text does not say.
    Raises:
        UsageError: it is neither ``host:port`` nor a URL that is known.
    """
    if "://" not in text:
        host, _, port = text.rpartition(":")
        if not host or not port.isdigit():
            raise UsageError(f"'{masked(text)}' is not where a Redis is", fix=f"give {FORMS}")
        return f"redis://{text}/{db}"
    scheme = text.partition("://")[0]
    if scheme not in SCHEMES:
        raise UsageError(f"no Redis speaks {scheme}://", fix=f"give {FORMS}")
    has_db = re.search(r"/\d+($|\?)|[?&]db=", text.partition("://")[2])
    if has_db or not db:
        return text
    if scheme == "unix":
        return f"{text}{'&' if '?' in text else '?'}db={db}"
    address, mark, query = text.partition("?")
    return f"{address.rstrip('/')}/{db}{mark}{query}"


def connect(url: str) -> Any:
    """A client; it connects when it is used first.

    Raises:
        UsageError: the extra is not installed, or the URL makes no sense.
    """
    try:
        import redis
    except ModuleNotFoundError as error:
        raise UsageError(
            "the loop needs redis, which is not installed here",
            fix="pip install 'open-alo[loop]'",
        ) from error
    options: dict[str, Any] = {
        "socket_timeout": ANSWER_S,
        "socket_connect_timeout": ANSWER_S,
        "health_check_interval": 30,
        "decode_responses": False,
    }
    try:
        if url.startswith("redis+sentinel://"):
            return _through_sentinel(url, options)
        (urlsplit(url).hostname or "").encode("idna")  # as the system will, for its address
        return redis.Redis.from_url(url, **options)
    except (ValueError, redis.RedisError) as error:
        raise UsageError(
            f"'{masked(url)}' is not where a Redis is: {error}", fix=f"give {FORMS}"
        ) from error


def _through_sentinel(url: str, options: dict[str, Any]) -> Any:
    from redis.sentinel import Sentinel

    parts = urlsplit(url)
    secret, _, hosts = parts.netloc.rpartition("@")
    user, _, password = secret.partition(":")
    master, _, db = parts.path.strip("/").partition("/")
    places = [host.rpartition(":") for host in hosts.split(",") if host]
    if not master or not all(port.isdigit() for _, _, port in places):
        raise ValueError("Sentinel needs host:port,host:port/name-of-the-master/db")
    login = {"username": unquote(user) or None, "password": unquote(password) or None}
    for host, _, _ in places:
        host.encode("idna")
    make: Any = Sentinel  # which has no types
    sentinel = make([(host, int(port)) for host, _, port in places], **options)
    return sentinel.master_for(master, db=int(db or 0), **login, **options)
