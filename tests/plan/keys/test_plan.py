"""The table of keys: rules for names and sources, and that the docs know every key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.plan.keys.plan import every_key
from alo.plan.model import Plan

LoadText = Callable[[str | bytes], Plan]
Told = Callable[[str | bytes], list[str]]

DOCS = Path(__file__).parents[3] / "docs" / "reference" / "plan.md"


def test_the_docs_name_every_key_of_a_plan() -> None:
    text = DOCS.read_text("utf-8")

    assert [key for key in every_key() if f"`{key}`" not in text] == []


def test_the_table_has_the_keys_of_every_level() -> None:
    keys = set(every_key())

    assert {"name", "load_model_path", "retries", "requirements", "selectable"} <= keys
    assert {"selected", "process_log"} <= keys


NAMES = ["train", "inference2", "train_output", "a-b", "_", "학습", "étape", "ขั้นตอน", "步骤", "1"]


@pytest.mark.parametrize("name", NAMES)
def test_a_step_may_have_a_name_in_any_script(load: LoadText, name: str) -> None:
    plan = load(f"user_parameters: {{train_pipeline: [{{step: '{name}'}}]}}")

    assert plan.train is not None
    assert plan.train.steps[0].name == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../x", "'.'"),
        ("a/b", "'/'"),
        ("a b", "a space"),
        ("a\u3000b", "a space"),
        ("a.b", "'.'"),
        ("a\\b", "'\\'"),
        ("a:b", "':'"),
        ("a😀", "'😀'"),
    ],
)
def test_a_step_name_never_leads_anywhere_else(reported: Told, name: str, shown: str) -> None:
    (line,) = reported(f"user_parameters: {{train_pipeline: [{{step: '{name}'}}]}}")

    assert line.startswith("1:43  user_parameters.train_pipeline[0].step  '")
    assert line.endswith(f"a step's name is letters, digits, _ and -; it has {shown}")


def test_a_step_name_fits_a_file_system(reported: Told) -> None:
    (line,) = reported(f"user_parameters: {{train_pipeline: [{{step: {'x' * 201}}}]}}")

    assert line.endswith("the name is too long")


def with_source(source: str) -> str:
    return f"""\
user_parameters: {{train_pipeline: [{{step: a}}]}}
asset_source:
  train_pipeline:
    - step: a
      source: {{{source}}}
"""


@pytest.mark.parametrize(
    "code",
    [
        "local",
        "https://example.com/group/asset.git",
        "http://git.internal/asset.git",
        "ssh://git@example.com:22/asset.git",
        "git@example.com:group/asset.git",
        "git://example.com/asset",
        "../assets/train",
        "/srv/git/asset.git",
        "~/asset",
        "file:///srv/git/asset.git",
    ],
)
def test_code_is_local_or_a_git_url(load: LoadText, code: str) -> None:
    plan = load(with_source(f"code: '{code}'"))

    assert plan.train is not None
    assert plan.train.steps[0].source.code == code


@pytest.mark.parametrize("source", ["", "code: ", "code: , branch: , requirements: "])
def test_an_empty_source_is_local(load: LoadText, source: str) -> None:
    plan = load(with_source(source))

    assert plan.train is not None
    assert plan.train.steps[0].source.code == "local"


GIT = "code: 'https://x/y'"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("code: 'example.com/a.git'", "code  'example.com/a.git': expected local, a git URL"),
        ("code: Local", "code  'Local': expected local, a git URL"),
        (
            "code: '--upload-pack=x@y:z'",
            "code  '--upload-pack=x@y:z': expected local, a git URL",
        ),
        ("code: 'srv/git'", "code  'srv/git': expected local, a git URL"),
        ("code: 'ext::sh -c id'", "code  'ext::sh -c id': expected local, a git URL"),
        (
            "code: 'ssh://-oProxyCommand=id/x'",
            "code  'ssh://-oProxyCommand=id/x': expected a host after ://",
        ),
        (f"{GIT}, branch: --force", "branch  '--force': not the name of a branch, tag or commit"),
        (f"{GIT}, branch: 'a b'", "branch  'a b': not the name of a branch, tag or commit"),
        (f"{GIT}, path: ../x", "path  '../x': expected a folder inside the repository"),
        (f"{GIT}, path: /x", "path  '/x': expected a folder inside the repository"),
        (f"{GIT}, path: ~/x", "path  '~/x': expected a folder inside the repository"),
        (f"{GIT}, requirements: {{a: b}}", "requirements  expected a requirement, found a mapping"),
        (f"{GIT}, brunch: x", "brunch  unknown key 'brunch'; did you mean 'branch'?"),
    ],
)
def test_a_wrong_source_says_what_is_allowed(reported: Told, source: str, problem: str) -> None:
    (line,) = reported(with_source(source))

    place, key, what = line.split("  ")
    assert place.startswith("5:")
    assert f"{key}  {what}".startswith(f"asset_source.train_pipeline[0].source.{problem}")


def test_a_branch_of_a_local_asset_has_no_effect_and_is_reported(load: LoadText) -> None:
    plan = load(with_source("code: local, branch: main"))

    (warning,) = plan.warnings
    assert (warning.line, warning.key) == (5, "asset_source.train_pipeline[0].source.branch")
    assert warning.what == "'main' has no effect with code: local"


@pytest.mark.parametrize("name", ['"a\\nb"', "|\n  a\n  b\n", '"a\\u2028b"'])
def test_a_name_is_one_line(reported: Told, name: str) -> None:
    (line,) = reported(f"user_parameters: {{train_pipeline: [{{step: a}}]}}\nname: {name}")

    assert line.startswith("2:7  name  ")


def test_a_name_may_be_any_text_of_one_line(load: LoadText) -> None:
    name = "한글 / ../ é \U0001f469\u200d\U0001f52c"

    plan = load(f"name: '{name}'\nuser_parameters: {{train_pipeline: [{{step: a}}]}}")

    assert plan.name == name
