"""Clients of the Open Inference Protocol work as they are: bytes, versions, chosen outputs."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from contextlib import suppress

import httpx
import numpy as np
import pytest
import tritonclient.http as triton
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import write_asset

from alo.serve.http_api.bodies.binary_tensors import HEADER, attach, packed
from alo.serve.http_api.refusal import RefusedError

from ..test_app import Service

ECHO = """
import csv
files = [each for each in Path(self.asset.get_input_path()).rglob("*") if each.is_file()]
Path(self.asset.get_output_path(), "out.csv").write_bytes(files[0].read_bytes())
self.asset.save_summary("fine", 0.5)
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("echo") / "project"
    write_asset(home, "inference", ECHO)
    plan = {
        "name": "my model",
        "user_parameters": {"inference_pipeline": [{"step": "inference"}]},
        "control": {"backup_artifacts": False},
    }
    (home / "solution").mkdir()
    (home / "solution" / "experimental_plan.yaml").write_text(json.dumps(plan))
    started = Service(home)
    yield started
    started.close()


@pytest.fixture
def client(service: Service) -> Iterator[triton.InferenceServerClient]:
    found = triton.InferenceServerClient(service.url.removeprefix("http://"))
    yield found
    found.close()


@pytest.fixture
def name(service: Service) -> str:
    return str(service.client.get("/openapi.json").json()["info"]["title"])


def inputs() -> list[triton.InferInput]:
    numbers = triton.InferInput("a", [3], "FP64")
    numbers.set_data_from_numpy(np.array([1.5, float("nan"), 3.0]))
    texts = triton.InferInput("b", [3], "BYTES")
    texts.set_data_from_numpy(np.array(["x", "가", "00501"], dtype=object))
    return [numbers, texts]


def test_a_client_of_triton_works_with_its_defaults(
    client: triton.InferenceServerClient, name: str
) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(name)
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    (version,) = client.get_model_metadata(name)["versions"]

    result = client.infer(name, inputs(), request_id="mine")
    again = client.infer(name, inputs(), model_version=version)

    assert result.get_response()["id"] == "mine"
    np.testing.assert_array_equal(result.as_numpy("a"), [1.5, float("nan"), 3.0])
    assert [text.decode() for text in result.as_numpy("b")] == ["x", "가", "00501"]
    np.testing.assert_array_equal(again.as_numpy("a"), result.as_numpy("a"))


@pytest.mark.parametrize("compression", ["gzip", "deflate"])
def test_compressed_requests_are_taken(
    client: triton.InferenceServerClient, name: str, compression: str
) -> None:
    result = client.infer(name, inputs(), request_compression_algorithm=compression)

    assert result.as_numpy("a")[0] == 1.5


@pytest.mark.parametrize("binary", [True, False])
def test_only_the_outputs_that_are_asked_for_come(
    client: triton.InferenceServerClient, name: str, binary: bool
) -> None:
    wanted = [triton.InferRequestedOutput("b", binary_data=binary)]

    result = client.infer(name, inputs(), outputs=wanted)

    assert [each["name"] for each in result.get_response()["outputs"]] == ["b"]
    first = result.as_numpy("b")[0]
    assert (first.decode() if binary else first) == "x"


def test_what_is_not_there_is_said_in_words(
    client: triton.InferenceServerClient, name: str
) -> None:
    with pytest.raises(triton.InferenceServerException, match="no output 'c'; the result has a, b"):
        client.infer(name, inputs(), outputs=[triton.InferRequestedOutput("c")])
    with pytest.raises(triton.InferenceServerException, match="no such version"):
        client.infer(name, inputs(), model_version="99")
    with pytest.raises(triton.InferenceServerException, match="no such model"):
        client.infer("other", inputs())


HEAD = {
    "inputs": [
        {"name": "a", "shape": [2], "datatype": "INT32", "parameters": {"binary_data_size": 8}}
    ]
}


@pytest.mark.parametrize(
    ("head", "binary", "length", "said"),
    [
        (HEAD, b"1234", None, "ends after 4 of 8 bytes"),
        (HEAD, b"1234567890", None, "2 bytes of the body are of no tensor"),
        (HEAD, b"12345678", "x", "inference-header-content-length is 'x'"),
        (HEAD, b"12345678", "100000", "inference-header-content-length"),
        (HEAD, b"12345678", "-1", "inference-header-content-length"),
        ({"inputs": [{**HEAD["inputs"][0], "data": [1, 2]}]}, b"12345678", None, "both 'data'"),
        (
            {"inputs": [{**HEAD["inputs"][0], "parameters": {"binary_data_size": -8}}]},
            b"",
            None,
            "no number of bytes",
        ),
        (
            {"inputs": [{**HEAD["inputs"][0], "datatype": "BYTES"}]},
            struct.pack("<I", 100) + b"abcd",
            None,
            "end within a text",
        ),
        (
            {"inputs": [{**HEAD["inputs"][0], "datatype": "BYTES"}]},
            struct.pack("<I", 4) + b"ab\0d",
            None,
            "NUL",
        ),
        (
            {"inputs": [{**HEAD["inputs"][0], "datatype": "BYTES"}]},
            struct.pack("<I", 4) + b"ab\xffd",
            None,
            "not UTF-8",
        ),
        ({"inputs": [{**HEAD["inputs"][0], "datatype": "BOOL"}]}, b"\\1\\2345678", None, "BOOL"),
        ({"inputs": [{**HEAD["inputs"][0], "datatype": "X"}]}, b"12345678", None, "datatype"),
    ],
)
def test_bytes_that_are_not_those_announced_are_refused(
    service: Service, name: str, head: object, binary: bytes, length: str | None, said: str
) -> None:
    text = json.dumps(head).encode()
    headers = {HEADER: length or str(len(text)), "content-type": "application/octet-stream"}

    answer = httpx.post(
        f"{service.url}/v2/models/{name}/infer", content=text + binary, headers=headers
    )

    assert answer.status_code in (400, 422), answer.text
    assert said in answer.json()["error"]


@given(
    st.sampled_from(["BYTES", "INT64", "FP64", "BOOL"]).flatmap(
        lambda kind: st.tuples(
            st.just(kind),
            st.lists(
                {
                    "BYTES": st.text().filter(lambda text: text.isprintable()),
                    "INT64": st.integers(-(2**63), 2**63 - 1),
                    "FP64": st.none() | st.floats(allow_nan=False),
                    "BOOL": st.booleans(),
                }[kind]
            ),
        )
    )
)
def test_values_survive_the_way_as_bytes(case: tuple[str, list[object]]) -> None:
    kind, values = case
    binary = packed(kind, values)
    tensor = {"name": "a", "datatype": kind, "parameters": {"binary_data_size": len(binary)}}

    attach({"inputs": [tensor]}, memoryview(binary))

    assert list(tensor["data"]) == values  # type: ignore[call-overload]


@given(st.binary(max_size=40), st.sampled_from(["BYTES", "INT16", "FP16", "BOOL", "UINT64"]))
def test_any_bytes_are_values_or_refused(binary: bytes, kind: str) -> None:
    tensor = {"name": "a", "datatype": kind, "parameters": {"binary_data_size": len(binary)}}
    with suppress(RefusedError):  # an error of another kind is the fault
        attach({"inputs": [tensor]}, memoryview(binary))
        assert isinstance(tensor["data"], list | tuple | memoryview)


def of_kserve(service: Service, name: str, inputs: list[object], **more: object) -> httpx.Response:
    """As the REST client of KServe sends it: with a model's name inside, and no content type."""
    content = {"id": "mine", "model_name": name, "inputs": inputs, **more}
    with httpx.Client() as client:
        return client.post(f"{service.url}/v2/models/{name}/infer", content=json.dumps(content))


def test_a_client_of_kserve_is_answered_in_json(service: Service, name: str) -> None:
    tensors: list[object] = [
        {"name": "a", "shape": [2], "datatype": "INT32", "data": [1, 2]},
        {"name": "b", "shape": [2], "datatype": "BYTES", "data": ["x", "가"]},
    ]

    answer = of_kserve(service, name, tensors, parameters={"sequence_id": 1})
    content = answer.json()

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert content["id"] == "mine"
    assert content["model_name"] == name
    assert content["model_version"]
    assert [(each["name"], each["shape"], each["data"]) for each in content["outputs"]] == [
        ("a", [2], [1, 2]),
        ("b", [2], ["x", "가"]),
    ]


def test_a_client_of_kserve_may_mix_bytes_and_json(service: Service, name: str) -> None:
    halves = np.array([0.5, 2], dtype=np.float16).tobytes()
    size = {"binary_data_size": len(halves)}
    head = {
        "id": "mine",
        "model_name": name,
        "inputs": [
            {"name": "a", "shape": [2], "datatype": "FP16", "parameters": size},
            {"name": "b", "shape": [2], "datatype": "INT64", "data": [3, 4]},
        ],
        "outputs": [{"name": "b", "parameters": {"binary_data": True}}, {"name": "a"}],
    }
    raw = json.dumps(head).encode()
    headers = {HEADER: str(len(raw)), "content-type": "application/octet-stream"}
    url = f"{service.url}/v2/models/{name}/infer"

    answer = httpx.post(url, content=raw + halves, headers=headers)
    length = int(answer.headers[HEADER])
    tensors = {each["name"]: each for each in json.loads(answer.content[:length])["outputs"]}

    assert tensors["b"]["parameters"]["binary_data_size"] == 16
    assert struct.unpack("<2q", answer.content[length:]) == (3, 4)
    assert tensors["a"]["data"] == [0.5, 2]


def test_a_client_of_kserve_learns_how_the_service_is(service: Service, name: str) -> None:
    def asked(path: str) -> httpx.Response:
        return httpx.get(f"{service.url}/v2/{path}")

    assert asked("health/live").json()["live"] is True
    assert asked("health/ready").json()["ready"] is True
    assert asked(f"models/{name}/ready").is_success
    refused = of_kserve(service, name, [{"name": "a", "shape": [2], "datatype": "INT32"}])
    assert refused.is_client_error
    assert refused.headers["content-type"] == "application/json"
    assert "data" in refused.json()["error"]
