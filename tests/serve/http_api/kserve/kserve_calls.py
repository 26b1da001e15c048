"""Calls of KServe's own client, each with what came of it; run where that client is installed.

    python kserve_calls.py URL MODEL > calls.json

An answer is ``{"value": …}``, an exception ``{"error": its type, "said": its message}``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import InferResponse, RequestedOutput


def tensor(name: str, datatype: str, values: Any, *, in_bytes: bool | None = None) -> InferInput:
    """An input, set in the way that is the client's own default unless another one is given."""
    made = InferInput(name, list(values.shape), datatype)
    how = {} if in_bytes is None else {"binary_data": in_bytes}
    made.set_data_from_numpy(values, **how)
    return made


def shown(response: InferResponse) -> dict[str, Any]:
    """All that the client has understood of an answer."""
    outputs = {
        each.name: [each.datatype, each.shape, [plain(one) for one in each.as_numpy().tolist()]]
        for each in response.outputs
    }
    return {
        "id": response.id,
        "model": response.model_name,
        "parameters": response.parameters,
        "outputs": outputs,
    }


def plain(value: Any) -> Any:
    """A text also where it came as bytes."""
    return value.decode() if isinstance(value, bytes) else value


INPUTS: dict[str, Callable[[], list[InferInput]]] = {
    "bytes": lambda: [
        tensor("a", "FP32", np.array([0.5, float("nan")], np.float32)),
        tensor("b", "INT64", np.array([2**62, -1])),
        tensor("c", "BYTES", np.array(["x", "가, 00501"], dtype=object)),
        tensor("d", "BOOL", np.array([True, False])),
        tensor("e", "FP16", np.array([[0.5, 1], [2, 3]], np.float16)),
    ],
    "json": lambda: [
        tensor("a", "FP32", np.array([0.5, 2], np.float32), in_bytes=False),
        tensor("b", "INT64", np.array([2**62, -1]), in_bytes=False),
        tensor("c", "BYTES", np.array(["x", "가, 00501"], dtype=object), in_bytes=False),
    ],
    "an array": lambda: [InferInput("a", [2], "INT32", np.array([1, 2], np.int32))],
    "a list": lambda: [InferInput("a", [2], "INT32", [1, 2])],
    "no rows": lambda: [tensor("a", "FP32", np.array([], np.float32))],
    "too few": lambda: [InferInput("a", [3], "INT32", [1, 2])],
    "two lengths": lambda: [
        InferInput("a", [2], "INT32", [1, 2]),
        InferInput("b", [1], "INT32", [1]),
    ],
}


async def calls(url: str, model: str) -> dict[str, Any]:
    """What came of each call."""
    found: dict[str, Any] = {}

    async def note(name: str, call: Awaitable[Any]) -> None:
        try:
            value = await call
            found[name] = {"value": shown(value) if isinstance(value, InferResponse) else value}
        except Exception as error:
            found[name] = {"error": type(error).__name__, "said": str(error)}

    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:

        async def infer(name: str, kind: str, *, of: str = model, **more: Any) -> None:
            request = InferRequest(of, INPUTS[kind](), **more)
            await note(name, client.infer(url, request, model_name=of))

        await note("live", client.is_server_live(url))
        await note("ready", client.is_server_ready(url))
        await note("model ready", client.is_model_ready(url, model))
        await note("other model ready", client.is_model_ready(url, "other"))
        for kind in INPUTS:
            await infer(kind, kind, request_id="mine")
        await infer("without an id", "bytes")
        await infer("all in bytes", "bytes", parameters={"binary_data_output": True})
        await infer("with parameters", "json", parameters={"sequence_id": 1})
        in_bytes = [RequestedOutput("c", {"binary_data": True}), RequestedOutput("b")]
        await infer("two outputs", "bytes", request_outputs=in_bytes)
        await infer("no such output", "bytes", request_outputs=[RequestedOutput("z")])
        await infer("no such model", "json", of="other")
        plain_request = {"inputs": [{"name": "a", "shape": [1], "datatype": "INT8", "data": [1]}]}
        await note("a dict", client.infer(url, plain_request, model_name=model))

    async with InferenceRESTClient() as client:  # its own default is the protocol before this one
        rows = {"instances": [{"a": 1}]}
        await note("v1 live", client.is_server_live(url))
        await note("v1 model ready", client.is_model_ready(url, model))
        await note("v1 infer", client.infer(url, rows, model_name=model))
        await note("v1 explain", client.explain(url, model, rows))
    return found


if __name__ == "__main__":
    json.dump(asyncio.run(calls(*sys.argv[1:3])), sys.stdout)
