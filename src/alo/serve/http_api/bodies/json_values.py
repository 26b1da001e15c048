"""JSON that clients send over HTTP: refused wherever a value would not arrive as it was sent."""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from math import isfinite
from typing import Any

from alo.json_text import every_value, is_deeper
from alo.serve.http_api.limits import TableLimits
from alo.serve.http_api.refusal import RefusedError
from alo.texts import odd_text
from alo.workers.protocol import Args

# Of names, numbers and source code; some take a time that grows with the square of the text.
NOT_OF_TEXTS = ("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape")
SUSPECT = re.compile(r"\\u(0000|[dD][89a-fA-F])")  # may be a NUL or a lone surrogate


def parse_json(body: bytes | str) -> Any:
    """What JSON text says.

    Raises:
        RefusedError: it is none; a key comes twice in an object; or a text has a NUL or a lone
            surrogate in it, which no file can have.
    """
    text = body if isinstance(body, str) else text_of(body)
    try:
        content = make_decoder().decode(text)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, f"the body is not JSON: {error}") from error
    odd = odd_text(content) if SUSPECT.search(text) else None
    if odd is not None:
        raise RefusedError(400, f"a text has a NUL or half a character in it: {odd}")
    return content


def text_of(body: bytes) -> str:
    """JSON as text, whichever of its encodings it is in.

    Raises:
        RefusedError: it is in none.
    """
    try:
        return body.decode(json.detect_encoding(body)).removeprefix("\ufeff")
    except ValueError as error:
        raise RefusedError(400, f"the body is not JSON: {error}") from error


def make_decoder() -> json.JSONDecoder:
    """One that takes only what JSON has, and no key twice in an object."""
    return json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_unique)


def known_encoding(name: str) -> str:
    """The encoding of a text that a client has named.

    Raises:
        RefusedError: there is none of this name, or it is no one of whole texts.
    """
    try:
        found = codecs.lookup(name).name
        "".encode(found)  # those that are of bytes, as hex, refuse
    except (LookupError, ValueError):
        found = ""
    if not found or found in NOT_OF_TEXTS:
        raise RefusedError(415, f"the encoding '{name[:50]}' is not known")
    return found


def args_of(text: str | bytes, limits: TableLimits) -> Args:
    """Args from JSON text."""
    limits.check_args(len(text))
    return check_args(parse_json(text or "{}"), limits.depth)


def check_args(content: object, depth: int) -> Args:
    """``{step: {key: value}}``.

    Args:
        depth: so many objects and lists there may be in each other.
    Raises:
        RefusedError: it is something else.
    """
    if content is None or content == {}:
        return {}
    if not isinstance(content, dict) or not all(
        isinstance(each, dict) for each in content.values()
    ):
        raise RefusedError(422, "'args' is not of the form {step: {key: value}}")
    if is_deeper(content, depth):
        raise RefusedError(
            400, f"'args' has more than {depth} objects and lists in each other", limit="depth"
        )
    for value in every_value(content):
        if isinstance(value, float):
            check_number(value)
    return content


def check_number(number: float) -> None:
    """See that a number is what was sent.

    Raises:
        RefusedError: it is larger than a 64-bit float can be.
    """
    if not isfinite(number):
        raise RefusedError(400, "a number is too large for a 64-bit float")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {ascii(twice)[:50]} comes twice in one object")
    return content


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
