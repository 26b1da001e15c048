"""Solution metadata: how it is read, and what it changes in a plan."""

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

LoadText = Callable[[str | bytes], Plan]

PLAN = """\
external_path:
  - load_train_data_path: ./sample/train/
  - load_inference_data_path: ./sample/inference/
  - save_inference_artifacts_path: ./out/
  - load_model_path: ./model/
user_parameters:
  train_pipeline:
    - {step: input, args: }
    - {step: train, args: {n_estimators: 100, columns: [a]}}
  inference_pipeline:
    - {step: input, args: }
"""

WHOLE: dict[str, Any] = {
    "metadata_version": 1.2,
    "name": "sol",
    "description": {"unknown": "keys are ignored"},
    "pipeline": [
        {
            "type": "train",
            "dataset_uri": ["s3://bucket/a/", "s3://bucket/b/"],
            "artifact_uri": "s3://bucket/out/",
            "parameters": {
                "selected_user_parameters": [
                    {"step": "input", "args": {"columns": "x, y ,z"}},
                    {"step": "train", "args": [{"n_estimators": 5}, {"columns": ""}]},
                ]
            },
        },
        {"type": "inference", "dataset_uri": "/data/", "artifact_uri": "", "model_uri": "/m/"},
    ],
    "edgeapp_interface": {"redis_server_uri": "localhost:6379", "redis_db_number": 3},
    "edgeconductor_interface": {"inference_result_datatype": "table", "train_datatype": "image"},
}


def metadata_of(*pipelines: object) -> object:
    return {"pipeline": list(pipelines)}


def selecting(*selected: object) -> object:
    return metadata_of(
        {"type": "train", "parameters": {"selected_user_parameters": list(selected)}}
    )


def args(plan: Plan, kind: str, step: str) -> object:
    pipeline = plan.pipeline(kind)
    found = pipeline.step(step) if pipeline else None
    assert found is not None
    return found.args


def problems(call: Callable[[], object]) -> list[str]:
    with pytest.raises(MetadataError) as caught:
        call()
    return [str(problem) for problem in caught.value.problems]


def test_metadata_is_read_from_json_text() -> None:
    metadata = read_metadata(json.dumps(WHOLE))

    assert (metadata.version, metadata.name) == ("1.2", "sol")
    assert (metadata.redis_url, metadata.redis_db_number) == ("localhost:6379", 3)
    assert (metadata.inference_result_datatype, metadata.train_datatype) == ("table", "image")
    assert [pipeline.kind for pipeline in metadata.pipelines] == ["train", "inference"]


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_metadata_is_read_from_a_json_file(tmp_path: Path, indent: int | str | None) -> None:
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps(WHOLE | {"name": "😀/"}, indent=indent).replace("/", "\\/"))

    assert read_metadata(str(path)).name == "😀/"


def test_metadata_is_read_from_a_yaml_file(tmp_path: Path) -> None:
    path = tmp_path / "metadata.yaml"
    path.write_text("metadata_version: 1\npipeline:\n  - type: train\n    dataset_uri: /d/\n")

    metadata = read_metadata(str(path))

    assert metadata.version == "1"
    assert metadata.pipelines[0].dataset_uri == ("/d/",)


def test_a_yaml_file_may_be_in_flow_style(tmp_path: Path) -> None:
    path = tmp_path / "metadata.yaml"
    path.write_text("{name: sol, pipeline: [{type: train}]}")

    assert read_metadata(str(path)).name == "sol"


def test_metadata_overrides_paths_and_args(load: LoadText) -> None:
    plan, changes = apply_metadata(load(PLAN), parse_metadata(WHOLE), KINDS)

    assert plan.external.load_train_data_path == ("s3://bucket/a/", "s3://bucket/b/")
    assert plan.external.save_train_artifacts_path == "s3://bucket/out/"
    assert plan.external.load_inference_data_path == ("/data/",)
    assert plan.external.save_inference_artifacts_path == ""
    assert plan.external.load_model_path == "/m/"
    assert args(plan, "train", "input") == {"columns": ["x", "y", "z"]}
    assert args(plan, "train", "train") == {"n_estimators": 5, "columns": ["a"]}
    assert args(plan, "inference", "input") == {}
    assert changes == (
        'external_path.load_train_data_path: ["./sample/train/"] -> '
        '["s3://bucket/a/", "s3://bucket/b/"]',
        'external_path.save_train_artifacts_path: empty -> "s3://bucket/out/"',
        'train_pipeline.input.columns: ["x", "y", "z"] (not in the plan)',
        "train_pipeline.train.n_estimators: 100 -> 5",
        'external_path.load_inference_data_path: ["./sample/inference/"] -> ["/data/"]',
        'external_path.save_inference_artifacts_path: "./out/" -> empty',
        'external_path.load_model_path: "./model/" -> "/m/"',
    )


def test_only_the_pipelines_that_run_are_changed(load: LoadText) -> None:
    before = load(PLAN)

    plan, _ = apply_metadata(before, parse_metadata(WHOLE), ["inference"])

    assert plan.train == before.train
    assert plan.external.load_train_data_path == before.external.load_train_data_path
    assert plan.external.load_inference_data_path == ("/data/",)


def test_a_pipeline_that_the_metadata_does_not_list_stays_as_planned(load: LoadText) -> None:
    before = load(PLAN)

    plan, changes = apply_metadata(before, parse_metadata(metadata_of({"type": "train"})), KINDS)

    assert (plan, changes) == (before, ())


@pytest.mark.parametrize("empty", ["", None, []])
def test_a_uri_that_is_given_empty_empties_the_path(load: LoadText, empty: object) -> None:
    given = metadata_of({"type": "inference", "dataset_uri": empty, "artifact_uri": empty or ""})

    plan, _ = apply_metadata(load(PLAN), parse_metadata(given), KINDS)

    assert plan.external.load_inference_data_path == ()
    assert plan.external.save_inference_artifacts_path == ""
    assert plan.external.load_model_path == "./model/"


def test_the_model_of_a_train_entry_is_none_of_inference(load: LoadText) -> None:
    given = metadata_of({"type": "train", "model_uri": ""})

    plan, _ = apply_metadata(load(PLAN), parse_metadata(given), KINDS)

    assert plan.external.load_model_path == "./model/"


@pytest.mark.parametrize("empty", ["", " ", None, [], {}])
def test_empty_args_are_skipped(load: LoadText, empty: object) -> None:
    given = selecting({"step": "train", "args": {"columns": empty}})

    plan, changes = apply_metadata(load(PLAN), parse_metadata(given), KINDS)

    assert args(plan, "train", "train") == {"n_estimators": 100, "columns": ["a"]}
    assert changes == ()


@pytest.mark.parametrize("value", [0, False, 0.0, "0"])
def test_zero_and_false_are_not_empty(load: LoadText, value: object) -> None:
    given = selecting({"step": "train", "args": {"n_estimators": value}})

    plan, _ = apply_metadata(load(PLAN), parse_metadata(given), KINDS)

    changed = args(plan, "train", "train")
    assert isinstance(changed, dict)
    assert repr(changed["n_estimators"]) == repr(value)


@pytest.mark.parametrize("nothing", [{"step": "train"}, {"step": "train", "args": []}])
def test_a_step_may_have_no_selected_args(load: LoadText, nothing: object) -> None:
    before = load(PLAN)

    assert apply_metadata(before, parse_metadata(selecting(nothing)), KINDS) == (before, ())


def test_what_came_from_metadata_has_no_line_in_the_plan(load: LoadText) -> None:
    plan, _ = apply_metadata(load(PLAN), parse_metadata(WHOLE), KINDS)

    assert plan.problem("external_path.load_model_path", "x").line == 0


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
def test_a_wrong_type_is_told_with_its_place(value: object, problem: str) -> None:
    lines = problems(lambda: parse_metadata(value))

    assert lines[0].startswith(f"solution metadata  {problem}")


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "metadata.yaml"

    with pytest.raises(MetadataError) as caught:
        read_metadata(str(path))

    told = str(caught.value)
    assert f"{path}  solution metadata cannot be read: No such file or directory" in told
    assert "give --system the path of a YAML file, or JSON text" in told


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
            told: object = parse_metadata(given_value).pipelines
        except MetadataError as error:
            told = error.problems
        assert told


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
