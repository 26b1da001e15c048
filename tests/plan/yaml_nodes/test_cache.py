"""The kept nodes of a plan: the same as those of its text, or none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.errors import PlanError
from alo.plan.load import load_plan, parse_plan
from alo.plan.yaml_nodes import cache
from alo.plan.yaml_nodes.cache import keep_nodes, nodes_of
from alo.plan.yaml_nodes.reader import NodeReader
from alo.plan.yaml_nodes.tree import MappingNode, Node, SequenceNode

PLAN = b"""\
name: a plan
user_parameters:
  - train_pipeline:
    - step: one
      args:
        - {depth: 3, rate: 1e-3, big: 123456789012345678901234567890, on: yes, none: ~}
        - {day: 2024-05-05, data: !!binary aGk=, far: .inf, names: &names [a, "b\\u00e9"]}
        - {again: *names, set: !!set {x, y}, pairs: !!pairs [a: 1, a: 2]}
"""


def composed(text: bytes) -> Node:
    from alo.plan.yaml_nodes.parser import compose

    root = compose(text)
    assert root is not None
    return root


def shown(root: Node) -> object:
    """All that is to be the same of two documents, with their aliases."""
    numbers: dict[int, int] = {}

    def show(node: Node) -> object:
        if id(node) in numbers:
            return numbers[id(node)]
        numbers[id(node)] = len(numbers)
        value = node.value
        if isinstance(node, MappingNode):
            value = [(show(key), show(item)) for key, item in node.value]
        elif isinstance(node, SequenceNode):
            value = [show(item) for item in node.value]
        return type(node), node.tag, node.line, node.column, value

    return show(root)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / ".alo" / "plan-nodes.jsonl"


@pytest.fixture
def no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever would parse a text fails."""
    monkeypatch.setitem(sys.modules, "alo.plan.yaml_nodes.parser", None)


@pytest.mark.parametrize("text", [PLAN, b"a: &x [*x]", b"- 1", b"only text", b"\xff\xfea\x00"])
def test_kept_nodes_are_those_of_the_text(
    kept: Path, text: bytes, request: pytest.FixtureRequest
) -> None:
    keep_nodes(text, kept)
    expected = shown(composed(text))
    request.getfixturevalue("no_parser")

    found = nodes_of(text, kept)

    assert found is not None
    assert shown(found) == expected


WORDS = st.text("ab1.- \n'\"é", max_size=8)


@given(value=st.dictionaries(WORDS, st.lists(st.none() | st.floats() | st.integers() | WORDS)))
def test_values_of_kept_nodes_are_those_of_the_text(
    value: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kept = tmp_path_factory.mktemp("kept") / "nodes"
    text = json.dumps(value).encode()

    keep_nodes(text, kept)

    found = nodes_of(text, kept)
    assert found is not None
    reader = NodeReader()
    assert repr(reader.value(found, "")) == repr(reader.value(composed(text), ""))
    assert kept.exists()


def test_a_plan_is_the_same_with_kept_nodes(tmp_path: Path, kept: Path) -> None:
    plan = parse_plan(PLAN, path=tmp_path / "plan.yaml", home=tmp_path)
    keep_nodes(PLAN, kept)

    again = parse_plan(PLAN, path=tmp_path / "plan.yaml", home=tmp_path, kept=kept)

    assert (again, repr(again)) == (plan, repr(plan))


def test_a_plan_is_read_from_its_projects_cache(
    tmp_path: Path, kept: Path, request: pytest.FixtureRequest
) -> None:
    text = b"user_parameters: {train_pipeline: [{step: a, args: {b: 1}}]}"
    (tmp_path / "plan.yaml").write_bytes(text)
    keep_nodes(text, kept)
    request.getfixturevalue("no_parser")

    plan = load_plan(tmp_path / "plan.yaml", home=tmp_path)

    assert plan.train is not None
    assert plan.train.steps[0].args == {"b": 1}


def test_a_problem_has_the_same_place_with_kept_nodes(tmp_path: Path, kept: Path) -> None:
    text = PLAN + b"contrl: 1\ncontrol:\n  save_inference_format: tra\n"

    def reported(cache: Path | None) -> str:
        with pytest.raises(PlanError) as caught:
            parse_plan(text, path=tmp_path / "plan.yaml", home=tmp_path, kept=cache)
        return str(caught.value)

    keep_nodes(text, kept)
    assert kept.exists()
    assert reported(kept) == reported(None)


def test_an_edited_plan_is_read_anew(kept: Path) -> None:
    keep_nodes(PLAN, kept)
    edited = PLAN.replace(b"depth: 3", b"depth: 4")

    found = nodes_of(edited, kept)

    assert found is not None
    assert shown(found) == shown(composed(edited))


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content.replace(b'"3"', b'"4"'),
        lambda content: content.replace(b"3]", b"4]"),
        lambda content: content.partition(b"\n")[0],
        lambda content: b"\n" + content,
        lambda content: b"",
        lambda content: b"\xff\0",
    ],
)
def test_a_damaged_file_is_no_file(kept: Path, damage: Callable[[bytes], bytes]) -> None:
    keep_nodes(PLAN, kept)
    content = kept.read_bytes()
    kept.write_bytes(damage(content))
    assert kept.read_bytes() != content

    found = nodes_of(PLAN, kept)

    assert found is not None
    assert shown(found) == shown(composed(PLAN))
    keep_nodes(PLAN, kept)
    assert kept.read_bytes() == content


@pytest.mark.parametrize("rows", [b"[]", b"7", b"[[]]", b'[["t", 1, 1, 1, [5]]]', b"[" * 100_000])
def test_rows_that_make_no_sense_are_no_rows(kept: Path, rows: bytes) -> None:
    keep_nodes(PLAN, kept)
    kept.write_bytes(b"\n".join([cache._head(PLAN, rows), rows]))

    found = nodes_of(PLAN, kept)

    assert found is not None
    assert shown(found) == shown(composed(PLAN))


def test_another_version_does_not_take_them(
    kept: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    keep_nodes(PLAN, kept)
    monkeypatch.setattr(cache, "__version__", "0.0.0")
    request.getfixturevalue("no_parser")

    with pytest.raises(ImportError):
        nodes_of(PLAN, kept)


def test_another_pyyaml_does_not_take_them(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    keep_nodes(PLAN, kept)
    (tmp_path / "yaml.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    request.getfixturevalue("no_parser")

    with pytest.raises(ImportError):
        nodes_of(PLAN, kept)


def test_a_text_with_a_password_is_not_kept(kept: Path) -> None:
    keep_nodes(b"code: https://me:secret@host/a.git", kept)

    assert not kept.exists()


def test_nothing_is_kept_of_a_text_without_a_node(kept: Path) -> None:
    keep_nodes(b"", kept)

    assert nodes_of(b"", kept) is None


def test_a_second_run_does_not_import_pyyaml(
    alo: Callable[..., subprocess.CompletedProcess[str]], make_solution: Callable[..., Path]
) -> None:
    home = make_solution({"one": "import sys; print('yaml' in sys.modules)"})

    first, second = (alo("run", cwd=home) for _ in range(2))

    assert "True" in first.stdout, first
    assert "False" in second.stdout, second


def test_a_run_continues_where_nothing_can_be_kept(
    run: Callable[..., object], make_solution: Callable[..., Path]
) -> None:
    home = make_solution({"one": "pass"})
    (home / ".alo" / "plan-nodes.jsonl").mkdir(parents=True)

    run(home)

    assert (home / "train_artifacts").is_dir()
