"""The streams that an asset finds in ``sys``, with all that scripts do to them."""

from __future__ import annotations

import codecs
import io
from typing import Any, TextIO

from alo.engine.isolation.prints import Prints


class PrintStream(io.TextIOBase):
    """Replaces ``sys.stdout`` or ``sys.stderr`` while a step runs.

    Whoever keeps it for longer, as threads and log handlers do, then writes to what is there. It
    cannot be closed or detached, and refuses no letter: the next print comes through all the same.
    """

    mode = "w"
    encoding = "utf-8"
    errors = "backslashreplace"
    line_buffering = True
    write_through = False

    def __init__(self, stream: str, original: TextIO | None, prints: Prints) -> None:
        self.name = f"<{stream}>"
        self._stream, self._original, self._prints = stream, original, prints
        self._add = prints.add
        self._buffer: _Bytes | None = None

    @property
    def buffer(self) -> _Bytes:
        """Takes bytes; made when it is asked for, which few assets do."""
        if self._buffer is None:
            self._buffer = _Bytes(self)
        return self._buffer

    @property
    def has_ended(self) -> bool:
        """Its step has, so nothing more can be written here."""
        return self._prints.has_ended

    def write(self, text: str) -> int:
        """Take a text for the run's listener; returns its length, as any stream does."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text:
            self._add(self._stream, text)
        return len(text)

    def flush(self) -> None:
        """Give the listener at once what has been written so far."""
        self._prints.flush()

    def reconfigure(
        self,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        line_buffering: bool | None = None,
        write_through: bool | None = None,
    ) -> None:
        """As asked for; it matters only to those who write bytes, as text is never encoded."""
        if encoding is not None:
            self.encoding = codecs.lookup(encoding).name
            if self._buffer is not None:
                self._buffer.decode_as(self.encoding)
        self.errors = errors or self.errors
        if line_buffering is not None:
            self.line_buffering = line_buffering
        if write_through is not None:
            self.write_through = write_through

    def detach(self) -> Any:
        """The stream of bytes; unlike Python's own, this one can still be written to."""
        return self.buffer

    def close(self) -> None:
        """It stays open."""

    def writable(self) -> bool:
        """Always: it is there to be written to."""
        return True

    def isatty(self) -> bool:
        """Whether the stream that it replaces is a terminal."""
        try:
            return self._original is not None and self._original.isatty()
        except ValueError:  # closed
            return False

    def fileno(self) -> int:
        """The descriptor of the stream that it replaces.

        Raises:
            io.UnsupportedOperation: there is none.
        """
        if self._original is None:
            raise io.UnsupportedOperation("fileno")
        return self._original.fileno()


class _Bytes(io.RawIOBase):
    """``sys.stdout.buffer``, and its ``raw``."""

    mode = "wb"

    def __init__(self, stream: PrintStream) -> None:
        self._stream, self.name = stream, stream.name
        self.decode_as(stream.encoding)

    @property
    def raw(self) -> _Bytes:
        return self

    def decode_as(self, encoding: str) -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def write(self, content: Any) -> int:
        data = bytes(memoryview(content))  # of a number bytes() would make so many zeros
        self._stream.write(self._decoder.decode(data))
        return len(data)

    def flush(self) -> None:
        self._stream.flush()

    def detach(self) -> _Bytes:
        return self

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        """As for the stream."""

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()
