"""The Open Inference Protocol (V2) for tables: each tensor is a column, or several.

Source: https://github.com/kserve/open-inference-protocol
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alo.serve.http_json import parse_json
from alo.serve.http_refusal import Refused
from alo.serve.http_requests import ROWS_FILE, read_body, write_rows
from alo.serve.tables import BadTable, Column, read_table

if TYPE_CHECKING:
    from starlette.requests import Request as HttpRequest

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
MOST_ROWS = 10_000_000


def model_metadata(name: str, model_id: str, *, brief: bool = False) -> dict[str, Any]:
    """What the protocol calls the metadata of a model.

    Args:
        brief: only what an answer has of it.
    """
    if brief:
        return {"model_name": name, "model_version": model_id}
    column = {"name": "<column>", "datatype": "BYTES", "shape": [-1]}
    return {
        "name": name,
        "versions": [model_id],
        "platform": "alo",
        "inputs": [column],
        "outputs": [column],
    }


async def take_tensors(http: HttpRequest, folder: Path, most_bytes: int) -> str:
    """Write the input tensors of a request as a table; returns the id that the client gave it.

    Raises:
        Refused: with the status that says why.
    """
    content = parse_json(await read_body(http, most_bytes))
    inputs = content.get("inputs") if isinstance(content, dict) else None
    if not isinstance(inputs, list) or not inputs:
        raise Refused(400, "expected an object with a list 'inputs' of tensors")
    given = content.get("id")
    if given is None:
        given = ""
    if not isinstance(given, str):
        raise Refused(400, "the 'id' of a request is a text")
    columns: dict[str, Sequence[object]] = {}
    for tensor in inputs:
        new = _columns(tensor)
        if twice := sorted(columns.keys() & new.keys()):
            raise Refused(422, f"two tensors make a column '{twice[0][:50]}'")
        columns.update(new)
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        raise Refused(422, f"the tensors differ in their number of rows: {sorted(lengths)}")
    (count,) = lengths
    rows = [{name: values[row] for name, values in columns.items()} for row in range(count)]
    folder.mkdir(parents=True)
    write_rows(rows, folder / ROWS_FILE)
    return given


def parameters_of(summary: Mapping[str, object]) -> dict[str, object]:
    """A summary as the protocol has parameters: what is no string, number or boolean, as JSON."""
    return {
        key: value if isinstance(value, str | int | float | bool) else json.dumps(value)
        for key, value in summary.items()
    }


def tensors_of(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """The columns of the result's table as tensors.

    Raises:
        Refused: it is no table whose values are certain; nothing of it is left out then.
    """
    for path in paths:
        if path.suffix.lower() == ".csv":
            try:
                return [_tensor(column) for column in read_table(path)]
            except BadTable as error:
                what = f"the result cannot be told as tensors: {error}"
                raise Refused(500, f"{what}; /v1/inference gives the file as it is") from error
    return []


def _tensor(column: Column) -> dict[str, Any]:
    name, datatype, values = column
    return {"name": name, "shape": [len(values)], "datatype": datatype, "data": list(values)}


def _columns(tensor: object) -> dict[str, Sequence[object]]:
    if not isinstance(tensor, dict):
        raise Refused(400, "a tensor is not an object")
    name, shape, kind = tensor.get("name"), tensor.get("shape"), tensor.get("datatype")
    data = tensor.get("data")
    if not isinstance(name, str) or not name:
        raise Refused(400, "a tensor has no name")
    if not isinstance(kind, str) or kind not in DATATYPES:
        raise Refused(422, f"tensor '{name[:50]}': the datatype can be {', '.join(DATATYPES)}")
    is_shape = isinstance(shape, list) and all(type(each) is int and each > 0 for each in shape)
    if not is_shape or not isinstance(shape, list) or len(shape) not in (1, 2):
        raise Refused(422, f"tensor '{name[:50]}': the shape has to be [rows] or [rows, columns]")
    count, width = shape[0], shape[1] if len(shape) == 2 else 1
    values = _flat(data, width)
    if len(values) != count * width or count > MOST_ROWS:
        raise Refused(422, f"tensor '{name[:50]}': {len(values)} values do not have its shape")
    for value in values:
        if type(value) not in DATATYPES[kind] or (kind in WHOLE and value not in WHOLE[kind]):
            raise Refused(422, f"tensor '{name[:50]}': {_shown(value)} is no {kind}")
    if width == 1:
        return {name: values}
    return {f"{name}_{at}": values[at::width] for at in range(width)}


def _shown(value: object) -> str:
    return json.dumps(value)[:50]


def _flat(data: object, width: int) -> list[object]:
    """The values row by row; they may come as a list for each row."""
    if not isinstance(data, list):
        raise Refused(422, "the data of a tensor is not a list")
    if not data or not all(isinstance(each, list) for each in data):
        return data
    if any(len(each) != width for each in data):
        raise Refused(422, f"the data of a tensor has rows that are not of {width} values")
    return [value for each in data for value in each]
