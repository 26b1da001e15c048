"""What a service answers in the Open Inference Protocol (V2): each column is a tensor.

Source: https://github.com/kserve/open-inference-protocol
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alo.serve.http_refusal import Refused
from alo.serve.tables import BadTable, Column, read_table


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
