"""Solution metadata that cannot be used is refused with what is wrong and where."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.errors import MetadataError
from alo.layout import KINDS
from alo.plan.metadata import apply_metadata, parse_metadata, read_metadata
from alo.plan.model import Plan

from .test_metadata import PLAN, WHOLE, metadata_of, selecting

LoadText = Callable[[str | bytes], Plan]


def problems(call: Callable[[], object]) -> list[str]:
    with pytest.raises(MetadataError) as caught:
        call()
    return [str(problem) for problem in caught.value.problems]


def test_every_unknown_step_is_named(load: LoadText) -> None:
    metadata = parse_metadata(selecting({"step": "trian"}, {"step": "input"}, {"step": "output"}))

    assert problems(lambda: apply_metadata(load(PLAN), metadata, KINDS)) == [
        "solution metadata  pipeline[0].parameters.selected_user_parameters[0].step  "
        "no step 'trian' in train_pipeline; did you mean 'train'?",
        "solution metadata  pipeline[0].parameters.selected_user_parameters[2].step  "
        "no step 'output' in train_pipeline; there is input, train",
    ]


def test_args_for_a_pipeline_that_the_plan_lacks_are_an_error(load: LoadText) -> None:
    plan = load("user_parameters: {inference_pipeline: [{step: input}]}")
    metadata = parse_metadata(selecting({"step": "input"}))

    (line,) = problems(lambda: apply_metadata(plan, metadata, KINDS))

    assert line.endswith("the plan has no train_pipeline")


SELECTED = "pipeline[0].parameters.selected_user_parameters"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "expected an object with 'pipeline', found a list"),
        ("x", "expected an object with 'pipeline', found 'x'"),
        (None, "expected an object with 'pipeline', found nothing"),
        ({}, "pipeline  expected a list of pipelines, each with a 'type', found nothing"),
        ({"pipeline": []}, "pipeline  expected a list of pipelines, each with a 'type'"),
        ({"pipeline": {"type": "train"}}, "pipeline  expected a list, found an object"),
        (metadata_of("train"), "pipeline[0]  expected an object, found 'train'"),
        (metadata_of({}), "pipeline[0].type  expected train or inference, found nothing"),
        (metadata_of({"type": "x"}), "pipeline[0].type  expected train or inference, found 'x'"),
        (
            metadata_of({"type": "train"}, {"type": "train"}),
            "pipeline[1].type  'train' is here twice: keep one",
        ),
        (
            metadata_of({"type": "train", "dataset_uri": {"a": 1}}),
            "pipeline[0].dataset_uri  expected text, found an object",
        ),
        (
            metadata_of({"type": "train", "dataset_uri": ["a", True]}),
            "pipeline[0].dataset_uri[1]  expected text, found 'True'",
        ),
        (
            metadata_of({"type": "train", "artifact_uri": ["a"]}),
            "pipeline[0].artifact_uri  expected text, found a list",
        ),
        (
            metadata_of({"type": "train", "parameters": []}),
            "pipeline[0].parameters  expected an object, found a list",
        ),
        (
            metadata_of({"type": "train", "parameters": {"selected_user_parameters": {}}}),
            f"{SELECTED}  expected a list, found an object",
        ),
        (
            selecting({"args": {}}),
            f"{SELECTED}[0].step  expected the name of a step, found nothing",
        ),
        (selecting({"step": "a", "args": 5}), f"{SELECTED}[0].args  expected an object, found '5'"),
        (selecting({"step": "a", "args": ["x"]}), f"{SELECTED}[0].args  expected an object"),
        ({**WHOLE, "name": []}, "name  expected text, found a list"),
        ({**WHOLE, "edgeapp_interface": "x"}, "edgeapp_interface  expected an object, found 'x'"),
        (
            {**WHOLE, "edgeapp_interface": {"redis_db_number": "one"}},
            "edgeapp_interface.redis_db_number  expected a number like 0, found 'one'",
        ),
        (
            {**WHOLE, "edgeconductor_interface": {"train_datatype": "text"}},
            "edgeconductor_interface.train_datatype  expected table or image, found 'text'",
        ),
    ],
)
def test_a_wrong_type_is_reported_with_its_place(value: object, problem: str) -> None:
    lines = problems(lambda: parse_metadata(value))

    assert lines[0].startswith(f"solution metadata  {problem}")


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "metadata.yaml"

    with pytest.raises(MetadataError) as caught:
        read_metadata(str(path))

    reported = str(caught.value)
    assert f"{path}  solution metadata cannot be read: No such file or directory" in reported
    assert "give --system the path of a YAML file, or JSON text" in reported


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("pipeline: [", ":1:12  not YAML"),
        (
            "{pipeline: !!python/name:os.system x}",
            ":1:12  pipeline  the tag !!python/name:os.system",
        ),
        ("a: {b: 1, b: 2}", ":1:11  a.b  the key is here twice (first on line 1): keep one"),
        ("x: \x00", ":1:4  the control character U+0000"),
        ("", "  expected an object with 'pipeline', found nothing"),
    ],
)
def test_a_file_that_cannot_be_understood_has_a_place(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "metadata.yaml"
    path.write_text(text)

    (line,) = problems(lambda: read_metadata(str(path)))

    assert line.startswith(f"{path}{problem}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"pipeline": [}', "solution metadata:1:15  not JSON: Expecting value"),
        ("{pipeline: []}", "solution metadata:1:2  not JSON: Expecting property name"),
        ('{"a": ' + "1" * 5000 + "}", "solution metadata  not JSON: Exceeds the limit"),
        ("[1]", "solution metadata  expected an object with 'pipeline', found a list"),
        ('{"a":' * 100_000, "solution metadata  nested too deeply"),
    ],
)
def test_text_that_is_no_json_has_a_place(text: str, problem: str) -> None:
    (line,) = problems(lambda: read_metadata(text))

    assert line.startswith(problem)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "pipeline", "step", "args", "dataset_uri", "parameters", "name"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(PLAIN)
def test_any_value_is_metadata_or_a_metadata_error(value: object) -> None:
    for given_value in (value, metadata_of(value), selecting(value)):
        try:
            reported: object = parse_metadata(given_value).pipelines
        except MetadataError as error:
            reported = error.problems
        assert reported


@pytest.mark.parametrize(
    ("text", "what"), [("a\0b", "U+0000"), ("a\ud800b", "U+D800"), ("a\udcffb", "U+DCFF")]
)
@pytest.mark.parametrize("as_file", [False, True], ids=["text", "file"])
@pytest.mark.parametrize(
    "place",
    [
        "metadata_version",
        "name",
        "edgeapp_interface.redis_server_uri",
        "pipeline[0].parameters.selected_user_parameters[0].step",
        "pipeline[0].parameters.selected_user_parameters[0].args",
        "pipeline[0].parameters.selected_user_parameters[1].args",
    ],
)
def test_what_no_file_can_hold_is_refused_with_its_place(
    place: str, as_file: bool, text: str, what: str, tmp_path: Path
) -> None:
    first: dict[str, object] = {
        "step": "a",
        "args": {"x": [{"y": text}] if "[0].args" in place else 1},
    }
    second = {"step": "b", "args": {text: 1} if "[1].args" in place else {}}
    content: dict[str, Any] = {
        "pipeline": [
            {"type": "inference", "parameters": {"selected_user_parameters": [first, second]}}
        ],
        "edgeapp_interface": {},
    }
    if "args" not in place:
        *path, last = place.replace("[", ".[").split(".")
        owner: Any = content
        for part in path:
            owner = owner[int(part[1:-1])] if part.startswith("[") else owner[part]
        owner[last] = text
    file = tmp_path / "metadata.json"
    file.write_text(json.dumps(content))

    with pytest.raises(MetadataError) as caught:
        read_metadata(str(file) if as_file else json.dumps(content))

    problem = caught.value.problems[0]
    assert problem.key == place
    assert f"{what} is not allowed" in problem.what or f"({what}" in problem.what


@pytest.mark.parametrize("name", ["dataset_uri", "artifact_uri", "model_uri"])
def test_a_place_may_have_any_bytes_and_is_refused_where_it_is_looked_for(
    name: str, make_solution: Callable[..., Path], alo: Callable[..., Any], tmp_path: Path
) -> None:
    code = """
        self.asset.save_summary("ok", 1.0)
        Path(self.asset.get_output_path(), "x.csv").write_text("a")
    """
    home = make_solution(inference={"a": code})
    for text, status in (("a\0b", 2), ("a\ud800b", 2), (f"{tmp_path}/a\udcffb", 0)):
        folder = tmp_path / "a\udcffb"
        folder.mkdir(exist_ok=True)
        (folder / "x.csv").write_text("a")
        content = {"pipeline": [{"type": "inference", name: text}]}

        done = alo("run", "--system", json.dumps(content), cwd=home)

        assert done.returncode == status, done.stderr
        assert "fault in ALO" not in done.stderr


@pytest.mark.parametrize("form", ["[{}]", '{{"a": {}}}'])
@pytest.mark.parametrize("depth", [70, 500, 900, 5000])
@pytest.mark.parametrize("as_file", [False, True], ids=["text", "file"])
def test_deep_args_are_an_error_of_who_sent_them(
    depth: int, form: str, as_file: bool, tmp_path: Path
) -> None:
    opening, closing = form.format("|").replace("{{", "{").replace("}}", "}").split("|")
    deep = opening * depth + "1" + closing * depth
    text = json.dumps(metadata()).replace('"DEEP"', deep)
    assert deep in text
    file = tmp_path / "metadata.json"
    file.write_text(text)

    with pytest.raises(MetadataError, match="nested"):
        read_metadata(str(file) if as_file else text)


def metadata() -> dict[str, object]:
    selected = [{"step": "a", "args": {"x": "DEEP"}}]
    parameters = {"selected_user_parameters": selected}
    return {"pipeline": [{"type": "train", "parameters": parameters}]}


def test_a_plan_is_no_solution_metadata() -> None:
    with pytest.raises(MetadataError, match="a plan, and no solution metadata: give it to --conf"):
        read_metadata('{"name": "x", "user_parameters": []}')
