"""Content ids: the same case has the same id, in whichever run or table it is met."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from operator import itemgetter

LENGTH = 32  # hexadecimal digits
_BETWEEN = "\x1f"


def row_content(columns: Sequence[str], label: str = "") -> Callable[[Sequence[str]], str]:
    """Returns what gives the content id of a row with these columns.

    Two rows have the same id if they have the same columns and values, in whatever order, the
    label's column left out: what people say of a case is no part of the case.

    Args:
        columns: of the rows, in their order.
        label: the column that holds the label, if there is one.
    """
    places = [
        at
        for _, at in sorted(
            (name, at) for at, name in enumerate(columns) if not label or name != label
        )
    ]
    pick = _picker(places)
    most = max(0, len(places) - 1)  # separators of a row in which no value holds one
    head = hashlib.sha256(json.dumps([columns[at] for at in places]).encode())

    def content_of(row: Sequence[str]) -> str:
        try:
            values = pick(row)
        except IndexError:  # the row ends early
            values = [row[at] if at < len(row) else "" for at in places]
        joined = _BETWEEN.join(values)
        # Only a value that holds the separator itself could be mistaken for two.
        if joined.count(_BETWEEN) != most:
            joined = json.dumps(values)
        found = head.copy()
        found.update(joined.encode("utf-8", "surrogatepass"))
        return found.hexdigest()[:LENGTH]

    return content_of


def content_over(
    wanted: Sequence[str], columns: Sequence[str]
) -> Callable[[Sequence[str]], str] | None:
    """What gives the content id of a table's row over some of its columns; None: it lacks one.

    Args:
        wanted: the columns of the cases that its rows may be.
        columns: of the table.
    """
    names = list(columns)
    if not set(wanted) <= set(names):
        return None
    places = [names.index(name) for name in wanted]
    content_of = row_content(wanted)
    return lambda row: content_of([row[at] if at < len(row) else "" for at in places])


def _picker(places: Sequence[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    """What takes the values at these places of a row."""
    if len(places) > 1:  # of fewer, it gives no tuple
        return itemgetter(*places)
    return lambda row: [row[at] for at in places]


def picture_content(data: bytes) -> str:
    """The content id of a picture, by its bytes."""
    return hashlib.sha256(b"picture\0" + data).hexdigest()[:LENGTH]
