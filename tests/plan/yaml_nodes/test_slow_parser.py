"""What libyaml or PyYAML itself takes is taken, and means the same on every machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from alo.plan.metadata import read_metadata
from alo.plan.model import Plan
from alo.plan.overrides import parse_override
from alo.plan.yaml_nodes import parser
from alo.plan.yaml_nodes.reader import read_value
from alo.plan.yaml_nodes.slow_parser import SlowLoader
from alo.plan.yaml_nodes.tree import YamlError

LoadText = Callable[[str | bytes], Plan]
Told = Callable[[str | bytes], list[str]]

TEXTS = {
    "a: {rf: {trees:[100, 300], depth: 5}, gb: {trees:[50], rate:{x: 1}}}": {
        "a": {"rf": {"trees": [100, 300], "depth": 5}, "gb": {"trees": [50], "rate": {"x": 1}}}
    },
    "a: {b:, c: d}": {"a": {"b": None, "c": "d"}},
    "a: [x:{y: 1}, z:[2]]": {"a": [{"x": {"y": 1}}, {"z": [2]}]},
    "a: {url: http://x:80/y, t: 12:30}": {"a": {"url": "http://x:80/y", "t": 750}},
    "a:\tb\t\nc: d\te": {"a": "b", "c": "d\te"},
    "a: [1,\t2]\t# why": {"a": [1, 2]},
    "a: {b: really? yes}": {"a": {"b": "really? yes"}},
    "a: b\n  c\n\n  d\n---\n": None,
    "a: b\n  \tc": {"a": "b c"},
    "a: b\n  c\n\n  d": {"a": "b c\nd"},
    "a: |\n  \tb\n": {"a": "\tb\n"},
}


@pytest.fixture(params=["libyaml", "PyYAML"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "PyYAML":
        monkeypatch.setattr(parser, "FAST_LOADER", None)


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize(("text", "value"), TEXTS.items())
def test_what_either_reader_takes_is_taken(text: str, value: object) -> None:
    if value is None:
        with pytest.raises(YamlError):
            read_value(text.encode())
    else:
        assert read_value(text.encode()) == value


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize(
    "escape", [r"\ud800", r"\udfff", r"\ude00\ud83d", r"\U00110000", r"\UFFFFFFFF"]
)
def test_an_escape_that_stands_for_no_character_is_reported_with_its_place(escape: str) -> None:
    with pytest.raises(YamlError, match="not YAML: found") as caught:
        read_value(f'a: 1\nb: "x{escape}y"'.encode())

    assert caught.value.problem.line == 2


@pytest.mark.usefixtures("reader")
def test_a_character_may_be_two_escapes_as_json_writes_it() -> None:
    assert read_value(rb'{"a": "\ud83d\ude00"}') == {"a": "\U0001f600"}


@pytest.mark.usefixtures("reader")
def test_a_plan_and_metadata_and_set_are_read_alike(load: LoadText, tmp_path: Path) -> None:
    args = "{gb: {trees:[100, 300]}}"
    file = tmp_path / "metadata.yaml"
    file.write_text(
        "pipeline:\n- type: train\n  parameters:\n    selected_user_parameters:\n"
        f"    - {{step: a, args: {args}}}\n"
    )

    plan = load(f"user_parameters:\n  train_pipeline:\n    - step: a\n      args: {args}\n")
    selected = read_metadata(str(file)).pipelines[0].selected[0]
    override = parse_override(f"a.gb={args}")

    assert plan.train is not None
    assert plan.train.steps[0].args == {"gb": {"trees": [100, 300]}}
    assert selected.args == {"gb": {"trees": [100, 300]}}
    assert override.value == {"gb": {"trees": [100, 300]}}


@pytest.mark.usefixtures("reader")
def test_places_are_those_of_the_text(reported: Told) -> None:
    (line,) = reported("user_parameters:\n  train_pipeline: [{step: a, arg:{x:[1]}}]\n")

    assert line.startswith("2:30  user_parameters.train_pipeline[0].arg  unknown key 'arg'")


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("text", ["a: [1,\n2", "a:\n\t- b", "a: b: c", "a: {b:[1, c: 2}", "a: @b"])
def test_what_neither_takes_is_reported_with_its_place(text: str) -> None:
    with pytest.raises(YamlError, match="not YAML: ") as caught:
        read_value(text.encode())

    assert caught.value.problem.line >= 1


# Without tags, directives and block scalars: those that differ there are refused, or absurd.
YAML_TEXTS = st.lists(
    st.sampled_from(
        [*":,[]{}-?&*'\"#ab1= \t\n", ": ", "- ", "\n  ", "a: ", "a:\t", "{a:[1]}", "한"]
    ),
    max_size=14,
).map("".join)


@given(YAML_TEXTS)
@example("- a:\tb\n  c: d?")
@example("[a ?b, c]")
def test_both_readers_give_one_verdict_and_one_value(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fast = _outcome(text)
        patch.setattr(parser, "FAST_LOADER", None)

        assert _outcome(text) == fast


@given(YAML_TEXTS)
def test_what_pyyaml_takes_means_the_same_here(text: str) -> None:
    theirs, ours = (_tree(loader, text) for loader in (yaml.SafeLoader, SlowLoader))

    assert theirs in (None, ours)


def _outcome(text: str) -> str:
    try:
        return repr(read_value(text.encode()))
    except YamlError:
        return "refused"


def _tree(loader_class: type[yaml.SafeLoader], text: str) -> str | None:
    try:
        return yaml.serialize(yaml.compose(text, loader_class))
    except yaml.YAMLError:
        return None
    except AttributeError:  # nothing in it
        return ""
