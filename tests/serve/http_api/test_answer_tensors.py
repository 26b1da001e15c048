"""A result's columns as tensors, in JSON and bytes, and nothing that is not certain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alo.serve.http_api import answer_tensors
from alo.serve.http_api.answer_tensors import model_metadata, parameters_of, render
from alo.serve.http_api.bodies.binary_tensors import HEADER
from alo.serve.http_api.refusal import RefusedError

HEAD = {"id": "7"}


@pytest.fixture
def result(tmp_path: Path) -> list[Path]:
    (tmp_path / "a.csv").write_text("n,t\n1,x\n2,y\n")
    (tmp_path / "z.png").touch()
    return [tmp_path / "z.png", tmp_path / "a.csv"]


def asked(in_bytes: bool = False, **outputs: bool) -> dict[str, Any]:
    return {"outputs": outputs, "in_bytes": in_bytes}


def test_each_column_is_a_tensor(result: list[Path]) -> None:
    content, headers = render(HEAD, result, asked())

    assert json.loads(content) == {
        "id": "7",
        "outputs": [
            {"name": "n", "shape": [2], "datatype": "INT64", "data": [1, 2]},
            {"name": "t", "shape": [2], "datatype": "BYTES", "data": ["x", "y"]},
        ],
    }
    assert headers["content-type"] == "application/json"


def test_what_is_asked_for_as_bytes_comes_behind_the_json(result: list[Path]) -> None:
    content, headers = render(HEAD, result, asked(n=True, t=False))

    size = int(headers[HEADER])
    number, text = json.loads(content[:size])["outputs"]
    assert number["parameters"] == {"binary_data_size": 16}
    assert "data" not in number
    assert text["data"] == ["x", "y"]
    assert content[size:] == (1).to_bytes(8, "little") + (2).to_bytes(8, "little")


def test_many_values_in_pieces_are_the_same(
    result: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    result[1].write_text("n\n" + "".join(f"{number}\n" for number in range(25)))
    whole = json.loads(render(HEAD, result, asked())[0])

    monkeypatch.setattr(answer_tensors, "PIECE", 10)

    assert json.loads(render(HEAD, result, asked())[0]) == whole
    assert whole["outputs"][0]["data"] == list(range(25))


def test_an_output_that_is_not_there_is_refused_with_those_that_are(result: list[Path]) -> None:
    with pytest.raises(RefusedError, match="there is no output 'x'; the result has n, t") as caught:
        render(HEAD, result, asked(x=False))

    assert caught.value.status == 400


def test_a_result_that_is_no_table_is_refused_and_none_has_no_tensors(result: list[Path]) -> None:
    assert json.loads(render(HEAD, result[:1], asked())[0]) == {**HEAD, "outputs": []}
    result[1].write_text("a,b\n1\n")

    with pytest.raises(RefusedError, match="cannot be sent as tensors") as caught:
        render(HEAD, result, asked())

    assert caught.value.status == 500


def test_a_summary_has_the_form_of_parameters() -> None:
    summary = {"score": 0.5, "result": "x", "probability": {"a": 1.0}, "none": None}

    assert parameters_of(summary) == {
        "score": 0.5,
        "result": "x",
        "probability": '{"a": 1.0}',
        "none": "null",
    }


def test_the_metadata_of_a_model_names_it() -> None:
    assert model_metadata("m", "r1", brief=True) == {"model_name": "m", "model_version": "r1"}
    assert model_metadata("m", "r1")["versions"] == ["r1"]
