"""What an asset prints becomes events; what it does to the process is undone when its step ends."""

from __future__ import annotations

import io
import os
import sys
import warnings
from codecs import getincrementaldecoder
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, TextIO

from alo.engine.logging_state import logging_apart, show_logging
from alo.events import Listener, Output

__all__ = ["CapturedStream", "captured", "show_logging"]


class CapturedStream(io.TextIOBase):
    """Stands for ``sys.stdout`` or ``sys.stderr`` while a step runs.

    Whoever keeps it for longer, as threads and log handlers do, then writes to what stands there.
    """

    errors = "replace"
    line_buffering = True

    def __init__(self, name: str, original: TextIO | None, listener: Listener) -> None:
        self.name, self._original = name, original
        self._listener: Listener | None = listener
        self.buffer = _Bytes(self)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if not text:
            return 0
        if self._listener is not None:
            self._listener(Output(self.name, text))
        elif (now := getattr(sys, self.name)) is not None and now is not self:
            now.write(text)
        return len(text)

    def end(self) -> None:
        """The step has ended."""
        self._listener = None

    def reconfigure(self, **_: object) -> None:
        """There is nothing to encode here."""

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """An asset may close what it got; the next step still prints."""

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        try:
            return self._original is not None and self._original.isatty()
        except ValueError:  # closed
            return False

    def fileno(self) -> int:
        if self._original is None:
            raise io.UnsupportedOperation("fileno")
        return self._original.fileno()


class _Bytes(io.RawIOBase):
    """``sys.stdout.buffer`` of a captured stream."""

    def __init__(self, stream: CapturedStream) -> None:
        self._stream = stream
        self._decoder = getincrementaldecoder("utf-8")("replace")

    def write(self, content: Any) -> int:
        data = bytes(memoryview(content))  # of a number bytes() would make so many zeros
        self._stream.write(self._decoder.decode(data))
        return len(data)

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        """As for the stream."""

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()


@contextmanager
def captured(listener: Listener) -> Iterator[None]:
    """While inside, prints go to the listener; afterwards the process is as it was before.

    That is: working folder, warning filters, Python's logging, and the streams. A process that the
    asset has forked ends here.
    """
    outer = sys.stdout, sys.stderr
    streams = (
        CapturedStream("stdout", outer[0], listener),
        CapturedStream("stderr", outer[1], listener),
    )
    process, folder = os.getpid(), _working_folder()
    sys.stdout, sys.stderr = streams
    try:
        with (
            logging_apart(listener),
            warnings.catch_warnings(),
            _descriptors_kept(),
            _exit_raises(process),
        ):
            yield
    except BaseException as error:
        _end_if_forked(process, error)
        raise
    finally:
        _end_if_forked(process, None)
        for shown in (sys.stdout, sys.stderr):  # an asset may have put a buffer around ours
            with suppress(Exception):
                shown.flush()
        sys.stdout, sys.stderr = outer
        for stream in streams:
            stream.end()
        with suppress(OSError):  # it may be gone
            os.chdir(folder)


@contextmanager
def _exit_raises(process: int) -> Iterator[None]:
    """``os._exit`` would end the run with the asset's status and nothing in order: it is a failure.

    Forked children end with it, as ``multiprocessing`` has them do.
    """
    really_exit = os._exit

    def exit_or_raise(status: int) -> NoReturn:
        if os.getpid() != process:
            really_exit(status)
        raise SystemExit(status)

    os._exit = exit_or_raise
    try:
        yield
    finally:
        os._exit = really_exit


@contextmanager
def _descriptors_kept() -> Iterator[None]:
    """Standard output and error are the process' own afterwards, even if the asset closed them."""
    kept = {number: _duplicate(number) for number in (1, 2)}
    try:
        yield
    finally:
        for number, copy in kept.items():
            if copy is not None:
                if not _is_same_file(number, copy):
                    os.dup2(copy, number)
                os.close(copy)


def _duplicate(descriptor: int) -> int | None:
    try:
        return os.dup(descriptor)
    except OSError:  # closed from the start
        return None


def _is_same_file(one: int, other: int) -> bool:
    try:
        return os.path.samestat(os.fstat(one), os.fstat(other))
    except OSError:
        return False


def _working_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return ""


def _end_if_forked(process: int, error: BaseException | None) -> None:
    """End a forked process, which would go on as a second engine beside the first."""
    if os.getpid() == process:
        return
    status = 0
    if isinstance(error, SystemExit):
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        sys.excepthook(type(error), error, error.__traceback__)
        status = 1
    os._exit(status & 0xFF)
