"""Tensors as bytes: the extension of the Open Inference Protocol that Triton's clients use.

Numbers are little-endian; each text of BYTES comes behind its length of four bytes. Source: the
protocol's extension "binary tensor data" of Triton Inference Server.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from alo.serve.http_api.refusal import RefusedError

EXTENSION = "binary_tensor_data"
HEADER = "inference-header-content-length"
FORMATS = {  # of struct, by datatype
    "BOOL": "?",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
}
LENGTH = struct.Struct("<I")


def head_length(given: str, size: int) -> int:
    """What the header, where there is one, says of the length of the JSON; 0: all of it is.

    Raises:
        RefusedError: it is no length, or more than there is.
    """
    if not (given.isascii() and given.isdigit() and 0 < len(given) < 16 and int(given) <= size):
        raise RefusedError(400, f"{HEADER} is '{given[:30]}', and the body has {size} bytes")
    return int(given)


def attach(content: object, binary: memoryview) -> None:
    """Give each tensor that says that it has binary data its values, where they can be, in place.

    Raises:
        RefusedError: the bytes are not those that the tensors announce.
    """
    inputs = content.get("inputs") if isinstance(content, dict) else None
    at = 0
    for tensor in inputs if isinstance(inputs, list) else ():
        size = _announced(tensor)
        if size is None:
            continue
        if tensor.get("data") is not None:  # KServe's client sends null
            raise RefusedError(400, "a tensor has both 'data' and binary data")
        piece = binary[at : at + size]
        if len(piece) != size:
            raise RefusedError(400, f"the body ends after {len(piece)} of {size} bytes of a tensor")
        tensor["data"] = _values(tensor, piece)
        at += size
    if at != len(binary):
        raise RefusedError(400, f"{len(binary) - at} bytes of the body are of no tensor")


def packed(datatype: str, values: Sequence[Any]) -> bytes:
    """The values of a column as bytes; what is missing is NaN, or an empty text."""
    if datatype == "BYTES":
        texts = [str("" if value is None else value).encode("utf-8", "replace") for value in values]
        return b"".join(part for text in texts for part in (LENGTH.pack(len(text)), text))
    if datatype == "FP64":
        values = [float("nan") if value is None else value for value in values]
    if datatype in ("FP64", "INT64"):
        found = array(FORMATS[datatype], values)
        if sys.byteorder == "big":
            found.byteswap()
        return found.tobytes()
    return struct.pack(f"<{len(values)}{FORMATS[datatype]}", *values)


def _announced(tensor: object) -> int | None:
    parameters = tensor.get("parameters") if isinstance(tensor, dict) else None
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if size is not None and not (type(size) is int and size >= 0):
        raise RefusedError(400, "'binary_data_size' of a tensor is no number of bytes")
    return size


def _values(tensor: Mapping[str, object], piece: memoryview) -> Sequence[Any]:
    kind, name = tensor.get("datatype"), str(tensor.get("name"))[:50]
    if kind == "BYTES":
        return _texts(name, piece)
    if not isinstance(kind, str) or kind not in FORMATS:
        return []  # the datatype is refused by who looks at all tensors
    size = struct.calcsize(f"<{FORMATS[kind]}")
    if len(piece) % size:
        raise RefusedError(
            400, f"tensor '{name}': {len(piece)} bytes are no whole values of {kind}"
        )
    if kind == "BOOL" and set(piece) - {0, 1}:
        raise RefusedError(400, f"tensor '{name}': a value of BOOL is neither 0 nor 1")
    values: Sequence[Any]
    view: Any = piece
    if len(piece) and sys.byteorder == "little" and kind != "FP16":  # it has no views
        values = view.cast(FORMATS[kind])  # as a list they would take five times the room
    else:
        values = struct.unpack(f"<{len(piece) // size}{FORMATS[kind]}", piece)
    if kind.startswith("FP") and any(value != value for value in values):
        return [None if value != value else value for value in values]  # as null: an empty cell
    return values


def _texts(name: str, piece: memoryview) -> list[str]:
    texts, at = [], 0
    while at < len(piece):
        if len(piece) - at < LENGTH.size:
            raise RefusedError(400, f"tensor '{name}': its bytes end within a length")
        (size,) = LENGTH.unpack_from(piece, at)
        at += LENGTH.size
        if len(piece) - at < size:
            raise RefusedError(400, f"tensor '{name}': its bytes end within a text")
        try:
            texts.append(str(piece[at : at + size], "utf-8"))
        except UnicodeDecodeError as error:
            raise RefusedError(400, f"tensor '{name}': a text is not UTF-8: {error}") from error
        if "\0" in texts[-1]:  # as in JSON
            raise RefusedError(
                400, f"tensor '{name}': a text has a NUL in it: {ascii(texts[-1])[:50]}"
            )
        at += size
    return texts
