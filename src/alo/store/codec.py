"""Any value to a pickle stream and out-of-band buffers, and back.

Pickle protocol 5 hands large buffers (arrays, the blocks of a DataFrame) over as they lie in
memory, so that they are written without a copy. Classes and functions are pickled by name where
a later step can import them. Those of an asset's own modules it cannot, so they themselves go
into the stream.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from alo.errors import StoreError

if TYPE_CHECKING:
    from pickle import PickleBuffer

PROTOCOL = 5
SAVE_PARTS = (
    "save what it is made of (numbers, text, arrays, frames) in its place; as it is, a value is "
    "handed on only in memory mode, without the cache, between steps in ALO's own process"
)
OUT_OF_BAND = 1 << 16  # smaller buffers stay in the stream: copying beats mapping


class Stream(Protocol):
    """Where a pickle goes."""

    def write(self, content: bytes, /) -> object:
        """Take the next bytes of the pickle; what is returned is ignored."""


AnyStream = TypeVar("AnyStream", bound=Stream)


class UnpicklableError(Exception):
    """A value that cannot be pickled; the message is the reason."""


def encode(
    value: object, new_stream: Callable[[], AnyStream]
) -> tuple[AnyStream, list[memoryview]]:
    """Pickle a value into a new stream (a second one where the first try fails).

    Returns:
        the stream, and the buffers next to it: views of the value's own memory.
    Raises:
        UnpicklableError: the value, or something in it, cannot be pickled.
        StoreError: as the stream says.
    """
    import pickle  # here and below, because a run whose steps are all cached needs none of it

    try:
        return _pickle(pickle.Pickler, value, new_stream())
    except (pickle.PicklingError, AttributeError, TypeError):
        pass  # perhaps only because its class cannot be imported by name
    except StoreError:
        raise
    except (Exception, SystemExit) as error:
        raise UnpicklableError(_reason(error)) from error
    try:
        return _pickle(_by_value_pickler(), value, new_stream())
    except StoreError:
        raise
    except (Exception, SystemExit) as error:
        raise UnpicklableError(_reason(error)) from error


def decode(stream: bytes | memoryview, buffers: Sequence[memoryview]) -> object:
    """The value that ``encode`` pickled; it lies in the memory of ``buffers``."""
    import pickle

    return pickle.loads(stream, buffers=buffers)  # noqa: S301 - as trusted as the project's own code


def _pickle(pickler: Any, value: object, stream: AnyStream) -> tuple[AnyStream, list[memoryview]]:
    buffers: list[memoryview] = []

    def keep_in_stream(buffer: PickleBuffer) -> bool:
        try:
            view = buffer.raw()
        except BufferError:  # not contiguous
            return True
        if view.nbytes < OUT_OF_BAND:
            return True
        buffers.append(view)
        return False

    pickler(stream, PROTOCOL, buffer_callback=keep_in_stream).dump(value)
    return stream, buffers


@cache
def _by_value_pickler() -> Any:
    import io

    import cloudpickle  # 30 ms, so only where it is needed

    class ByValuePickler(cloudpickle.Pickler):  # type: ignore[misc]
        # cloudpickle would make a text in memory of an open file, and bytes of a memoryview.
        dispatch_table = cloudpickle.Pickler.dispatch_table.new_child(
            {io.TextIOWrapper: _refuse, memoryview: _refuse}
        )

    return ByValuePickler


def _refuse(value: object) -> Any:
    raise TypeError(f"cannot pickle '{type(value).__name__}' object")


def _reason(error: BaseException) -> str:
    return f"{error}" or type(error).__name__
