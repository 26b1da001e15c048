"""JSON as we write it, UTF-8 whatever the locale, and as we read it, whoever has written it."""

from __future__ import annotations

import errno
import json
import math
import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

MOST_LEVELS = 64  # of nesting, in what comes from outside: a plan, metadata, a request
DEEPEST = 100  # of what we have written ourselves, which holds such values
EACH = "*"  # of a shape: any key that it does not name


_encoded = json.JSONEncoder(ensure_ascii=False).encode


class TooDeepError(ValueError):
    """A text of more levels than can be read, or handed on."""


def json_bytes(content: object, *, indent: int | None = None, default: Any = None) -> bytes:
    """JSON as UTF-8; a lone surrogate, of a name that is not, is the escape JSON has for it.

    Args:
        default: what makes a value of one that JSON has no type for.
    """
    if indent is None and default is None:
        text = _encoded(content)  # json.dumps makes an encoder for each call
    else:
        text = json.dumps(content, ensure_ascii=False, indent=indent, default=default)
    return text.encode("utf-8", "backslashreplace")


def json_bytes_by_line(content: object) -> bytes:
    """The same with a line for each key and item, as an indent gives it.

    With an indent the encoder is the one in Python, at twenty times the cost.
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",\n ", ": "))
    return text.encode("utf-8", "backslashreplace")


def json_text(content: object, *, indent: int | None = None) -> str:
    """The same as text that can be encoded."""
    return json_bytes(content, indent=indent).decode()


def json_value(text: str | bytes, *, deepest: int = 0, **hooks: Any) -> Any:
    """The value of a JSON text that may be anything: damaged, of another program, hostile.

    Args:
        deepest: how many levels of nesting it may have, where the value is handed on to code that
            recurses; 0: as many as can be read.
        hooks: as ``json.loads`` takes them.
    Raises:
        ValueError: it is not JSON, not text, or (TooDeepError) nested too deeply.
    """
    try:
        value = json.loads(text, **hooks)
    except RecursionError:
        raise TooDeepError("nested too deeply") from None
    if deepest and is_deeper(value, deepest):
        raise TooDeepError(f"nested too deeply: more than {deepest} levels")
    return value


def json_lines(content: bytes) -> Iterator[Any]:
    """The values of JSON lines that may be anything; lines without a value are left out.

    A line ends where a line feed is, and nowhere else: texts may hold other ends of lines.

    Raises:
        ValueError: as of ``json_value``; it begins with the number of the line.
    """
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            yield json_value(line)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error


def json_file(path: Path, *, most: int | None = None, deepest: int = 0) -> Any:
    """The value of a JSON file that may be anything, also a link to what has no end (a device).

    Args:
        most: bytes that it may have; None: as many as it has.
        deepest: as of ``json_value``.
    Raises:
        OSError: it cannot be read, is no ordinary file, or is larger than that.
        ValueError: as of ``json_value``.
    """
    return json_value(ordinary_bytes(path, most), deepest=deepest)


def json_object(path: Path, *, deepest: int = 0) -> dict[str, Any]:
    """The same of a file that has to hold one object.

    Raises:
        OSError: as of ``json_file``.
        ValueError: as of ``json_value``, or it is something else.
    """
    content = json_file(path, deepest=deepest)
    if not isinstance(content, dict):
        raise ValueError("it is no JSON object")
    return content


def ordinary_bytes(path: Path, most: int | None = None) -> bytes:
    """What is in a file that may be anything, also a link to what has no end, or a pipe.

    Args:
        most: as of ``json_file``.
    Raises:
        OSError: as of ``json_file``.
    """
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no ordinary file", str(path))
        if most is not None and status.st_size > most:
            raise OSError(errno.EFBIG, f"it is larger than {most / 1e6:.0f} MB", str(path))
        return file.read()


def is_deeper(content: object, most: int) -> bool:
    """Whether there are more than ``most`` objects and lists in each other.

    What is nested deeply can be read, and then fails wherever it is written, copied or sent.
    """
    level = [content]
    for _ in range(most + 1):
        if not level:
            return False
        level = [
            each
            for outer in level
            if isinstance(outer, dict | list)
            for each in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(level)


def misfit(value: object, shape: object, name: str = "") -> str:
    """The name of the first part of a value that is not as it has to be; empty: it is.

    Args:
        shape: types (``int`` is no bool, ``float`` a finite number); of an object, key -> shape,
            where ``EACH`` is any other key; a list of one shape: a list of such.
        name: of the value itself.
    """
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return name or "all"
        keys = [key for key in dict.fromkeys((*shape, *value)) if key != EACH]
        parts = [
            (value.get(key), shape.get(key, shape.get(EACH, object)), f"{name}.{key}".lstrip("."))
            for key in keys
        ]
        return next(filter(None, (misfit(*part) for part in parts)), "")
    if isinstance(shape, list):
        if not isinstance(value, list):
            return name
        return next(filter(None, (misfit(each, shape[0], name) for each in value)), "")
    kinds = shape if isinstance(shape, tuple) else (shape,)
    if object in kinds or type(value) in kinds:
        return name if isinstance(value, float) and not math.isfinite(value) else ""
    return name


def bad_character(text: str) -> str:
    """What no file, path or other program can hold of a text; empty: there is nothing.

    JSON and YAML have escapes for half a character; on a command line, and in names of files, one
    stands for a byte that is not UTF-8.
    """
    if "\0" in text:
        return "a NUL (U+0000) is not allowed"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        character = ord(text[error.start])
        what = "not UTF-8 text" if 0xDC80 <= character <= 0xDCFF else "half a character"
        return f"a lone surrogate (U+{character:04X}, {what}) is not allowed"
    return ""


def every_value(content: object, but: Collection[str] = ()) -> Iterator[object]:
    """All values and keys, however deep.

    Args:
        but: keys whose values are left out, and the keys with them.
    """
    waiting = [content]
    while waiting:
        value = waiting.pop()
        yield value
        if isinstance(value, dict):
            waiting += [part for key in value if key not in but for part in (value[key], key)]
        elif isinstance(value, list):
            waiting += value
