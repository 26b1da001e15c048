"""What a service answers in the Open Inference Protocol (V2): each column is a tensor.

Source: https://github.com/kserve/open-inference-protocol
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alo.json_text import json_bytes
from alo.serve.http_api.bodies.binary_tensors import HEADER, packed
from alo.serve.http_api.refusal import RefusedError
from alo.serve.http_api.tables import Column, TableError, read_table

PIECE = 10_000  # values


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


def parameters_of(summary: Mapping[str, object]) -> dict[str, object]:
    """A summary as the protocol has parameters: what is no string, number or boolean, as JSON."""
    return {
        key: value if isinstance(value, str | int | float | bool) else json.dumps(value)
        for key, value in summary.items()
    }


def render(
    head: Mapping[str, object], paths: Sequence[Path], asked: Mapping[str, Any]
) -> tuple[bytes, dict[str, str]]:
    """An answer with the columns of the result, as JSON and bytes; and its headers.

    Args:
        head: all of the answer but the outputs.
        asked: what the client has said of the outputs, as ``write_tensors`` returns it.
    Raises:
        RefusedError: an output that is asked for is not there, or values are not certain.
    """
    tensors = {str(tensor["name"]): tensor for tensor in tensors_of(paths)}
    if unknown := sorted(asked["outputs"].keys() - tensors.keys()):
        there = ", ".join(tensors)[:200]
        raise RefusedError(400, f"there is no output '{unknown[0][:50]}'; the result has {there}")
    wanted = asked["outputs"] or dict.fromkeys(tensors, asked["in_bytes"])
    shown, pieces = [], []
    for name, in_bytes in wanted.items():
        tensor = tensors[name]
        if in_bytes:
            pieces.append(packed(tensor["datatype"], tensor["data"]))
            size = {"binary_data_size": len(pieces[-1])}
            tensor = {**{k: v for k, v in tensor.items() if k != "data"}, "parameters": size}
        shown.append(tensor)
    content = _in_pieces(head, shown)
    if not pieces:
        return content, {"content-type": "application/json"}
    kind = {"content-type": "application/octet-stream", HEADER: str(len(content))}
    return b"".join([content, *pieces]), kind


def _in_pieces(head: Mapping[str, object], tensors: Sequence[Mapping[str, Any]]) -> bytes:
    """JSON of many values; in one piece it would hold up all other threads."""
    outputs = []
    for tensor in tensors:
        begun = json_bytes({key: value for key, value in tensor.items() if key != "data"})
        if "data" in tensor:
            data = tensor["data"]
            slices = range(0, len(data), PIECE)
            values = b", ".join(json_bytes(data[at : at + PIECE])[1:-1] for at in slices)
            begun = b'%s, "data": [%s]}' % (begun[:-1], values)
        outputs.append(begun)
    return b'%s, "outputs": [%s]}' % (json_bytes(head)[:-1], b", ".join(outputs))


def tensors_of(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """The columns of the result's table as tensors.

    Raises:
        RefusedError: it is no table whose values are certain; nothing of it is left out then.
    """
    for path in paths:
        if path.suffix.lower() == ".csv":
            try:
                return [_tensor(column) for column in read_table(path)]
            except TableError as error:
                what = f"the result cannot be sent as tensors: {error}"
                raise RefusedError(500, f"{what}; /v1/inference gives the file as it is") from error
    return []


def _tensor(column: Column) -> dict[str, Any]:
    name, datatype, values = column
    return {"name": name, "shape": [len(values)], "datatype": datatype, "data": list(values)}
