"""``save_summary`` and ``load_summary``: what is allowed in a summary, and its file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from math import isfinite
from time import gmtime, strftime
from typing import Any

from alolib.disk import fix_of
from alolib.errors import SummaryError
from alolib.paths import make_folder

LONGEST_RESULT = 32  # characters
LONGEST_NOTE = 128
FEWEST_DECIMALS, MOST_DECIMALS = 2, 12
EPSILON = 1e-9  # what adding binary fractions may be off: 0.5 + 0.49 is not quite 0.99
TOLERANCE = 0.01  # of the sum of the probabilities, or ...
TOLERANCE_OF_A_CLASS = 0.005  # ... this for each class, where that is more
LONGEST_PROBABILITY = 1024  # characters that edge platforms keep of them, as text
EXACT_SCORE = "exact_score"  # beside it, for who compares runs; in no file of the summary
KEPT = ("result", "score", "note", "probability")
REPLACEMENT = "\ufffd"  # in the file, for half a character

_last_written: dict[bytes, Mapping[str, object]] = {}  # by the text of the file


def make_summary(
    result: object, score: object, note: object, probability: object
) -> dict[str, object]:
    """The summary as it is stored.

    Raises:
        SummaryError: a value is of the wrong type, too long, or out of its range.
    """
    number = _number("score", score)
    if not 0 <= number <= 1:
        raise SummaryError(f"score is {score}; it has to be from 0 to 1")
    return {
        "result": _text("result", result, LONGEST_RESULT),
        "score": round(number, 2),
        "note": _text("note", note, LONGEST_NOTE),
        "probability": _probability(probability),
    }


def odd_length(summary: Mapping[str, object]) -> str:
    """What to warn of where an edge platform would cut the probabilities off; else nothing."""
    length = len(str(summary["probability"]))
    if length <= LONGEST_PROBABILITY:
        return ""
    return (
        f"the probabilities are {length:,} characters as text, and edge platforms keep "
        f"{LONGEST_PROBABILITY:,}: save those of fewer classes, or under shorter names"
    )


def write_summary(
    path: str, summary: Mapping[str, object], file_path: str, version: str
) -> dict[str, object]:
    """Write the summary's file, whole or not at all; returns all that is in it.

    Args:
        file_path: the external save path, or nothing.
        version: of the solution metadata, or nothing.
    """
    date = strftime("%Y-%m-%d %H:%M:%S", gmtime())
    full = {**summary, "date": date, "file_path": file_path, "version": version}
    # JSON's quoting of text and YAML's are one; every key and value here is text or a number.
    text = "".join([_line(key, value) for key, value in full.items()])
    content = text.encode()
    temporary = f"{path}.{os.urandom(4).hex()}.tmp"
    try:
        make_folder(os.path.dirname(path))
        _write(temporary, content)
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(temporary)  # or it would be kept, and exported, as an artifact
        raise SummaryError(
            f"the summary cannot be written: {error.strerror}",
            where=path,
            fix=fix_of(error),
        ) from error
    _last_written.clear()
    if REPLACEMENT not in text:  # else it may stand for what a file cannot hold
        _last_written[content] = _copy(full)  # the asset may change what it is given
    return full


def _write(path: str, content: bytes) -> None:
    """In two calls of the system; a file object takes five, and each served request pays."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        rest = memoryview(content)
        while len(rest):
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)


def content_of(text: bytes) -> dict[str, object] | None:
    """What is in a summary's file, if this process has written that text last: no need to parse it.

    Args:
        text: all of the file.
    """
    known = _last_written.get(text)
    return None if known is None else _copy(known)


def _copy(content: Mapping[str, object]) -> dict[str, object]:
    return {
        name: dict(each) if isinstance(each, Mapping) else each for name, each in content.items()
    }


def read_summary(path: str) -> dict[str, Any]:
    """The summary as ``save_summary`` was given it.

    Raises:
        SummaryError: nothing has been saved in this run, or the file has been changed since.
    """
    import yaml

    try:
        with open(path, encoding="utf-8") as file:
            content = yaml.safe_load(file)
    except FileNotFoundError:
        raise SummaryError(
            f"no summary has been saved in this run: there is no {'/'.join(path.split('/')[-3:])}",
            fix="call self.asset.save_summary(...) first, in this step or one before",
        ) from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SummaryError(f"the summary cannot be read: {error}", where=path) from error
    if not isinstance(content, dict) or not content.keys() >= set(KEPT):
        raise SummaryError("what is saved is no summary", where=path)
    return {key: content[key] for key in KEPT}


def _text(what: str, value: object, longest: int) -> str:
    if not isinstance(value, str):
        raise SummaryError(
            f"{what} is {type(value).__name__}; it has to be a str", fix=f"str({what})"
        )
    if len(value) > longest:
        raise SummaryError(
            f"{what} has {len(value)} characters; at most {longest} are allowed",
            fix=f"shorten it: {what}[:{longest}]",
        )
    return str(value)


def _number(what: str, value: object) -> float:
    """Any kind of number, NumPy's too; not NaN, no text and no bool."""
    convert: Callable[[], float] | None = getattr(value, "__float__", None)
    if convert is None or isinstance(value, bool):
        raise SummaryError(f"{what} is {value!r} ({type(value).__name__}); it has to be a number")
    try:
        number = float(convert())
    except (TypeError, ValueError) as error:  # an array of several numbers
        raise SummaryError(f"{what} is {value!r}; it has to be one number") from error
    except OverflowError as error:
        raise SummaryError(f"{what} is a number of many digits; it has to be 0 to 1") from error
    if number != number:
        raise SummaryError(f"{what} is NaN; it has to be a number")
    return number


def _probability(value: object) -> dict[object, float]:
    if not isinstance(value, Mapping):
        raise SummaryError(
            f"probability is {type(value).__name__}; it has to be a dict",
            fix="probability={'class name': number, ...}",
        )
    numbers = {_name(key): _number(f"probability of '{key}'", each) for key, each in value.items()}
    if not numbers:
        return {}
    for name, number in numbers.items():
        if not 0 <= number <= 1:
            raise SummaryError(f"probability of '{name}' is {number}; it has to be from 0 to 1")
    total = sum(numbers.values())
    if abs(total - 1) > max(TOLERANCE, TOLERANCE_OF_A_CLASS * len(numbers)) + EPSILON:
        raise SummaryError(
            f"the probabilities sum to {total:.4g}; they have to sum to 1",
            fix="divide each by their sum",
        )
    return _rounded(numbers)


def _name(key: object) -> object:
    """A class's name as any YAML reader knows it: text, or a plain number or bool."""
    if isinstance(key, str):
        return str(key)
    plain = key.item() if hasattr(key, "item") else key  # a NumPy scalar
    if isinstance(plain, float) and not isfinite(plain):
        return str(plain)  # NaN is not equal to itself: no dict would find it again
    return plain if isinstance(plain, bool | int | float) else str(plain)


def _rounded(numbers: Mapping[object, float]) -> dict[object, float]:
    """With 2 decimals, or as many more as it takes, and still summing to 1.

    The largest takes up the difference; more decimals are needed where that would make it negative
    or no longer the largest.
    """
    total = sum(numbers.values())
    exact = {name: number / total for name, number in numbers.items()}
    # Where the sum is off, and another is nearly as large, only equal shares of the difference do.
    for each in (numbers, exact):
        for decimals in range(FEWEST_DECIMALS, MOST_DECIMALS + 1):
            rounded = _rounded_to(decimals, each)
            if _has_same_largest(rounded, each):
                return rounded
    return exact  # the largest are equal, like 6 times 1/6: no decimals sum to 1


def _rounded_to(decimals: int, numbers: Mapping[object, float]) -> dict[object, float]:
    largest = _largest(numbers)
    rounded = {name: round(number, decimals) for name, number in numbers.items()}
    others = sum(number for name, number in rounded.items() if name != largest)
    return {**rounded, largest: round(1 - others, decimals)}


def _has_same_largest(rounded: Mapping[object, float], numbers: Mapping[object, float]) -> bool:
    """Whether the largest has not become negative, and whatever was below it still is."""
    largest = _largest(numbers)
    top = rounded[largest]
    return top >= 0 and all(
        number < top or (number == top and numbers[name] == numbers[largest])
        for name, number in rounded.items()
        if name != largest
    )


def _largest(numbers: Mapping[object, float]) -> object:
    return max(numbers, key=lambda name: numbers[name])


def _line(key: str, value: object) -> str:
    if not isinstance(value, Mapping):
        return f"{key}: {_scalar(value)}\n"
    if not value:
        return f"{key}: {{}}\n"
    return f"{key}:\n" + "".join(
        f"  {_scalar(name)}: {_scalar(each)}\n" for name, each in value.items()
    )


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # YAML 1.1 reads 1e-05 as text, for want of a point.
        text = repr(value)
        mantissa, e, exponent = text.partition("e")
        return f"{mantissa}.0e{exponent}" if e and "." not in mantissa else text
    return str(value)


def _quoted(text: str) -> str:
    """Double-quoted, non-ASCII text as it is, what YAML cannot show escaped."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'  # as most are
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if _is_shown(char) else _escape(char) for char in escaped) + '"'


def _is_shown(char: str) -> bool:
    code = ord(char)
    if code < 0xA0:
        return 0x20 <= code < 0x7F
    return code not in (0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF) and not 0xD800 <= code < 0xE000


def _escape(char: str) -> str:
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    if 0xD800 <= code < 0xE000:  # a lone surrogate: no reader would take it
        return REPLACEMENT
    return f"\\u{code:04x}"
