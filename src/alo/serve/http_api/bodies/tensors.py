"""Tensors of the Open Inference Protocol (V2) as a table: each is a column, or several.

Source: https://github.com/kserve/open-inference-protocol
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from typing import TextIO

from alo.serve.http_api.bodies.json_rows import BOM
from alo.serve.http_api.bodies.json_values import check_number
from alo.serve.http_api.limits import TableLimits
from alo.serve.http_api.refusal import RefusedError
from alo.workers.protocol import Args

WHOLE = {  # datatypes of whole numbers, and which those are
    f"{sign}INT{bits}": range(-(2 ** (bits - 1)), 2 ** (bits - 1)) if not sign else range(2**bits)
    for sign in ("U", "")
    for bits in (8, 16, 32, 64)
}
DATATYPES: dict[str, tuple[type, ...]] = {  # and what their values are in JSON
    "BOOL": (bool,),
    **dict.fromkeys(WHOLE, (int,)),
    **dict.fromkeys(("FP16", "FP32", "FP64"), (int, float, type(None))),  # null: an empty cell
    "BYTES": (str,),
}


def write_tensors(content: object, file: TextIO, limits: TableLimits) -> Args:
    """Write the input tensors of a request as CSV; returns what else the client has sent.

    Raises:
        RefusedError: with the status that says why.
    """
    inputs = content.get("inputs") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(inputs, list) or not inputs:
        raise RefusedError(400, "expected an object with a list 'inputs' of tensors")
    given = content.get("id")
    if given is not None and not isinstance(given, str):
        raise RefusedError(400, "the 'id' of a request is a text")
    columns: dict[str, Sequence[object]] = {}
    for tensor in inputs:
        new = _columns(tensor)
        if twice := sorted(columns.keys() & new.keys()):
            raise RefusedError(422, f"two tensors make a column '{twice[0][:50]}'")
        columns.update(new)
        limits.check_columns(len(columns))
        limits.check_cells(sum(map(len, columns.values())))
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        raise RefusedError(422, f"the tensors differ in their number of rows: {sorted(lengths)}")
    if next(iter(columns)).startswith(BOM):
        raise RefusedError(422, "a column's name begins with a byte order mark, which readers drop")
    table = csv.writer(file)
    table.writerow(columns)
    table.writerows(zip(*columns.values(), strict=True))
    return {"request": {"id": given or "", **_asked(content)}}


def _asked(content: Mapping[str, object]) -> dict[str, object]:
    """Which outputs a client wants: by name whether as bytes; and whether all others, too."""
    parameters, outputs = content.get("parameters") or {}, content.get("outputs") or []
    if not isinstance(parameters, dict) or not isinstance(outputs, list):
        raise RefusedError(400, "'parameters' is no object, or 'outputs' no list")
    wanted: dict[str, bool] = {}
    in_bytes = parameters.get("binary_data_output") is True
    for each in outputs:
        name = each.get("name") if isinstance(each, dict) else None
        own = each.get("parameters") or {} if isinstance(each, dict) else {}
        if not isinstance(name, str) or not isinstance(own, dict):
            raise RefusedError(400, "an output that is asked for has no name")
        wanted[name] = own.get("binary_data", in_bytes) is True
    return {"outputs": wanted, "in_bytes": in_bytes}


def _columns(tensor: object) -> dict[str, Sequence[object]]:
    if not isinstance(tensor, dict):
        raise RefusedError(400, "a tensor is not an object")
    name, shape, kind = tensor.get("name"), tensor.get("shape"), tensor.get("datatype")
    data = tensor.get("data")
    if not isinstance(name, str) or not name:
        raise RefusedError(400, "a tensor has no name")
    if not isinstance(kind, str) or kind not in DATATYPES:
        raise RefusedError(422, f"tensor '{name[:50]}': the datatype can be {', '.join(DATATYPES)}")
    is_shape = isinstance(shape, list) and all(type(each) is int and each > 0 for each in shape)
    if not is_shape or not isinstance(shape, list) or len(shape) not in (1, 2):
        what = "the shape has to be [rows] or [rows, columns], with at least one of each"
        raise RefusedError(422, f"tensor '{name[:50]}': {what}")
    count, width = shape[0], shape[1] if len(shape) == 2 else 1
    values = _flat(data, width)
    if len(values) != count * width:
        raise RefusedError(422, f"tensor '{name[:50]}': {len(values)} values do not have its shape")
    for value in values:
        if type(value) not in DATATYPES[kind] or (kind in WHOLE and value not in WHOLE[kind]):
            raise RefusedError(422, f"tensor '{name[:50]}': {_shown(value)} is no {kind}")
        if isinstance(value, float):
            check_number(value)
    if width == 1:
        return {name: values}
    return {f"{name}_{at}": values[at::width] for at in range(width)}


def _shown(value: object) -> str:
    return json.dumps(value)[:50]


def _flat(data: object, width: int) -> Sequence[object]:
    """The values row by row; they may come as a list for each row, or as a view of bytes."""
    if isinstance(data, memoryview | tuple):
        return data
    if not isinstance(data, list):
        raise RefusedError(422, "the data of a tensor is not a list")
    if not data or not all(isinstance(each, list) for each in data):
        return data
    if any(len(each) != width for each in data):
        raise RefusedError(422, f"the data of a tensor has rows that are not of {width} values")
    return [value for each in data for value in each]
