"""The only module that writes to the terminal: lines, tables, colours, and a line drawn again.

Here: text on stdout and stderr, and how wide it is. Not here: what is said about a run
(``progress.py``).
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from errno import EBADF, EIO
from typing import TextIO

GAP = "  "  # between two columns
USUAL_COLUMNS = 80  # where there is no terminal, or one that does not say
ERASE_LINE = "\r\x1b[K"
LINE_UP = "\x1b[A"
# Control characters but for tabs and ends of lines, and sequences other than of colours.
UNTAMED = r"[\0-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]|\r(?!\n)|\x1b(?!\[[\d;]*m)"
STYLES = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33}


class ReaderGone(Exception):  # noqa: N818
    """Whoever read our output has gone, as in ``alo history | head``: that is no error."""


def open_closed_streams() -> None:
    """Lead standard streams that were closed from the start nowhere.

    Otherwise the next file that is opened would get the number of one, and its output.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            os.set_inheritable(number, True)
    if sys.stdin is None:  # of the streams the one that is asked for more than a file's name
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the whole process


def write(text: str = "") -> None:
    """A line (or a few) on stdout.

    Raises:
        ReaderGone: no one reads stdout any more.
    """
    _put(sys.stdout, f"{_tamed(text, sys.stdout)}\n")


def write_json(content: object, *, indent: int | None = None) -> None:
    """A value as JSON on stdout.

    Raises:
        ReaderGone: no one reads stdout any more.
    """
    from alo.json_text import json_bytes

    _put_bytes(sys.stdout, json_bytes(content, indent=indent) + b"\n")


def write_json_line(line: bytes) -> None:
    """JSON that is written already, with its line's end, on stdout.

    Raises:
        ReaderGone: no one reads stdout any more.
    """
    _put_bytes(sys.stdout, line)


def write_error(text: str = "") -> None:
    """A line (or a few) on stderr; where no one can read it, the exit status still says so."""
    try:
        _put(sys.stderr, f"{_tamed(text, sys.stderr)}\n")
    except ReaderGone:
        pass
    except OSError:  # a full disk
        _let_go(sys.stderr)


def is_terminal(stream: TextIO | None = None) -> bool:
    """Whether someone watches this stream (stdout if none is given)."""
    stream = stream or sys.stdout
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def columns(stream: TextIO | None = None) -> int:
    """How wide the terminal is that this stream (stdout if none is given) writes to."""
    stream = stream or sys.stdout
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL_COLUMNS
    except (OSError, ValueError, AttributeError):  # none, closed, or no stream at all
        return USUAL_COLUMNS


def style(text: str, name: str, stream: TextIO | None = None) -> str:
    """The text in one of ``STYLES``; as it is off a terminal, or when NO_COLOR asks for that."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return text if plain or not is_terminal(stream) else f"\x1b[{STYLES[name]}m{text}\x1b[0m"


def table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[int] = ()
) -> str:
    """Columns under their headers, also where letters are two columns wide.

    Args:
        right: the indexes of the columns that are flush right, as numbers are.
    """
    cells = [list(map(one_line, row)) for row in (headers, *rows)]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        GAP.join(
            _padded(cell, wide, index in right)
            for index, (cell, wide) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )


def _padded(cell: str, wide: int, flush_right: bool) -> str:
    space = " " * (wide - width(cell))
    return space + cell if flush_right else cell + space


def one_line(text: str) -> str:
    """The text without line breaks, tabs and what else could upset a terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " for char in text)


def _tamed(text: str, stream: TextIO | None) -> str:
    """The text without what would do more to a terminal than show it: texts of data may have that.

    Colours stay, and so does all of it where nobody watches: it may be a file.
    """
    if not is_terminal(stream) or text.isprintable():
        return text
    import re

    return re.sub(UNTAMED, " ", text)


def width(text: str) -> int:
    """How many columns a terminal takes for the text."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def fit(text: str, room: int) -> str:
    """As much of the text as so many columns hold, with ``...`` where something was left out."""
    if width(text) <= room:
        return text
    kept = ""
    room -= len("...")
    for char in text:
        room -= _columns(char)
        if room < 0:
            break
        kept += char
    return f"{kept}..."


def _columns(char: str) -> int:
    import unicodedata

    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _put(stream: TextIO | None, text: str) -> None:
    if stream is None:  # started with the stream closed
        return
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:  # a terminal that knows ASCII only
            stream.write(text.encode(stream.encoding, "backslashreplace").decode(stream.encoding))
        stream.flush()
    except OSError as error:
        if _is_gone(error, stream):
            raise _let_go(stream) from None
        raise


def _put_bytes(stream: TextIO | None, content: bytes) -> None:
    """UTF-8, past the encoding of the stream, which is the locale's."""
    binary = getattr(stream, "buffer", None)
    if stream is None or binary is None:  # a host has put something else there
        _put(stream, content.decode())
        return
    try:
        stream.flush()
        binary.write(content)
        stream.flush()
    except OSError as error:
        if _is_gone(error, stream):
            raise _let_go(stream) from None
        raise


def _is_gone(error: OSError, stream: TextIO) -> bool:
    """Whether no one is there to read: a pipe's or a socket's other end, or the whole terminal."""
    if isinstance(error, BrokenPipeError | ConnectionResetError):
        return True
    return error.errno == EIO and stat.S_ISCHR(os.fstat(stream.fileno()).st_mode)


def _let_go(stream: TextIO) -> ReaderGone:
    """What is still in its buffer goes nowhere, or Python would complain about it at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    return ReaderGone()


@contextmanager
def own_stdout(*, others: int) -> Iterator[TextIO | None]:
    """Standard output as a stream of our own.

    Args:
        others: the descriptor for what is written to standard output past Python, as programs do
            that an asset starts: between lines of JSON it would spoil them.
    """
    stream = sys.stdout
    try:
        is_usual = stream is not None and stream.fileno() == 1
    except (OSError, ValueError):  # a host's
        is_usual = False
    if not is_usual:
        yield stream
        return
    stream.flush()
    with open(os.dup(1), "w", encoding="utf-8", errors="backslashreplace") as own:
        os.dup2(others, 1)
        try:
            yield own
        finally:
            own.flush()
            os.dup2(own.fileno(), 1)


class Screen:
    """Where a run shows itself: lines, and on a terminal a live line below them.

    It holds the streams as they were when it was made, because ``sys.stdout`` belongs to the asset
    while a step runs. Any thread may write. A reader that goes away (``alo run | head``) does not
    end the run.
    """

    def __init__(self, stdout: TextIO | None = None) -> None:
        out = stdout or sys.stdout
        self._streams: dict[str, TextIO | None] = {"stdout": out, "stderr": sys.stderr}
        self.is_live = is_terminal(out) and os.environ.get("TERM") != "dumb"
        self._renew_lock()
        self._drawn = 0  # live lines that are on the terminal
        self._unfinished = ""  # the stream whose last line has no end yet
        if self.is_live:
            # A child that an asset forks must not wait for a lock that another thread held then.
            os.register_at_fork(after_in_child=self._renew_lock)

    def line(self, text: str, style_name: str = "") -> None:
        """A whole line above the live one."""
        out = self._streams["stdout"]
        shown = style(text, style_name, out) if style_name else text
        with self._lock:
            self._erase()
            if self._unfinished:
                self._try_put(self._unfinished, "\n")
                self._unfinished = ""
            self._try_put("stdout", f"{shown}\n")

    def json_line(self, line: bytes) -> None:
        """A line of JSON, which has stdout for itself."""
        with self._lock:
            self._try_put("stdout", line)

    def passed_on(self, stream: str, text: str) -> None:
        """What an asset printed, as it came: pieces of lines, progress bars."""
        with self._lock:
            if self._drawn:
                self._erase()
            self._unfinished = "" if text.endswith("\n") else stream
            self._try_put(stream, text)

    @property
    def has_reader(self) -> bool:
        """Whether someone may still read what is written."""
        return self._streams["stdout"] is not None

    def draw(self, text: str, above: Sequence[str] = ()) -> None:
        """Show the live line, unless an asset is in the middle of a line of its own.

        Args:
            above: further live lines above it; fewer than the terminal has.
        """
        if not self.is_live:
            return
        with self._lock:
            if not self._unfinished:
                out = self._streams["stdout"]
                # A full line would make the terminal scroll.
                room = columns(out) - 1
                shown = [style(fit(one_line(each), room), "dim", out) for each in (*above, text)]
                self._try_put("stdout", self._erasing() + "\n".join(shown))
                self._drawn = len(shown)

    def erase(self) -> None:
        """Take the live line away."""
        with self._lock:
            self._erase()

    def _erase(self) -> None:
        if self._drawn:
            self._try_put("stdout", self._erasing())
            self._drawn = 0

    def _erasing(self) -> str:
        return ERASE_LINE + f"{LINE_UP}{ERASE_LINE}" * (self._drawn - 1)

    def _try_put(self, stream: str, content: str | bytes) -> None:
        out = self._streams[stream]
        try:
            if isinstance(content, bytes):
                _put_bytes(out, content)
            else:
                _put(out, content)
        except (ReaderGone, OSError, ValueError) as error:  # no reader, or it is closed
            if getattr(error, "errno", 0) != EBADF:  # the number alone: it is back after the step
                self._streams[stream] = None

    def _renew_lock(self) -> None:
        import threading

        self._lock = threading.RLock()
