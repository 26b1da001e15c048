"""Single values: what each kind of key takes, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alo.plan.model import Plan

LoadText = Callable[[str | bytes], Plan]
Told = Callable[[str | bytes], list[str]]

STEPS = "user_parameters: {train_pipeline: [{step: a}]}\n"


@pytest.mark.parametrize(
    ("control", "problem"),
    [
        (
            "interface_mode: memry",
            "2:27  control.interface_mode  expected one of memory, file, found the text 'memry'; "
            "did you mean 'memory'?",
        ),
        (
            "get_asset_source: True",
            "2:29  control.get_asset_source  expected one of once, every, found the boolean 'True'",
        ),
        (
            "save_inference_format: [zip]",
            "2:34  control.save_inference_format  expected one of tar.gz, zip, found a list",
        ),
        (
            "backup_log: 1",
            "2:23  control.backup_log  expected True or False, found the number '1'",
        ),
        (
            "backup_log: 'yes'",
            "2:23  control.backup_log  expected True or False, found the text 'yes': "
            "write it without quotes",
        ),
        (
            "backup_log: [True]",
            "2:23  control.backup_log  expected True or False, found a list",
        ),
        (
            "backup_size: -1",
            "2:24  control.backup_size  expected a number of at least 0, found the number '-1'",
        ),
        (
            "backup_size: True",
            "2:24  control.backup_size  expected a number of at least 0, found the boolean 'True'",
        ),
        (
            "backup_size: '500'",
            "2:24  control.backup_size  expected a number of at least 0, found the text '500': "
            "write 500",
        ),
        (
            "backup_size: 1e3",
            "2:24  control.backup_size  expected a number of at least 0, found the text '1e3': "
            "write 1000",
        ),
        (
            "backup_size: 1 GB",
            "2:24  control.backup_size  expected a number of at least 0, found the text '1 GB'",
        ),
        (
            "backup_size: .nan",
            "2:24  control.backup_size  expected a number of at least 0, found the number '.nan'",
        ),
        (
            "backup_size: .inf",
            "2:24  control.backup_size  expected a number of at least 0, found the number '.inf'",
        ),
        (
            "backup_sise: 1",
            "2:11  control.backup_sise  unknown key 'backup_sise'; did you mean 'backup_size'?",
        ),
        (
            "aggregate: {score: median}",
            "2:30  control.aggregate.score  expected one of mean, min, max, found the text "
            "'median'; did you mean 'mean'?",
        ),
        (
            "aggregate: [{score: max}, {results: most}]",
            "2:38  control.aggregate.results  unknown key 'results'; did you mean 'result'?",
        ),
        (
            "retention: 1",
            "2:11  control.retention  unknown key 'retention'; there is get_asset_source, "
            "backup_artifacts, backup_log, backup_size, interface_mode, save_inference_format, "
            "check_resource, cache, computing, aggregate",
        ),
    ],
)
def test_a_wrong_control_value_says_what_is_allowed(
    reported: Told, control: str, problem: str
) -> None:
    assert reported(f"{STEPS}control: {{{control}}}") == [problem]


@pytest.mark.parametrize(
    ("external", "problem"),
    [
        (
            "save_train_artifacts_path: [a, b]",
            "2:44  external_path.save_train_artifacts_path  expected a path, found a list",
        ),
        (
            "save_train_artifacts_path: False",
            "2:44  external_path.save_train_artifacts_path  expected a path, found the boolean "
            "'False': put it in quotes if it is text",
        ),
        (
            "load_train_data_path: {a: b}",
            "2:39  external_path.load_train_data_path  expected a path, found a mapping",
        ),
        (
            "load_train_data_path: [a, [b]]",
            "2:43  external_path.load_train_data_path[1]  expected a path, found a list",
        ),
        (
            'load_model_path: "a\\0b"',
            "2:34  external_path.load_model_path  'a\\x00b': the character U+0000 is not allowed",
        ),
        (
            'load_model_path: "a\\nb"',
            "2:34  external_path.load_model_path  'a\\nb': expected one line",
        ),
    ],
)
def test_a_wrong_path_says_what_a_path_is(reported: Told, external: str, problem: str) -> None:
    assert reported(f"{STEPS}external_path: {{{external}}}") == [problem]


@pytest.mark.parametrize("blank", ["", "~", "null", "''", "[]", "[~]"])
def test_an_empty_path_is_no_path(load: LoadText, blank: str) -> None:
    plan = load(f"{STEPS}external_path:\n  - load_train_data_path: {blank}\n")

    assert plan.external.load_train_data_path == ()


@pytest.mark.parametrize("word", ["yes", "Yes", "ON", "true", "True"])
def test_booleans_are_those_of_yaml_1_1(load: LoadText, word: str) -> None:
    assert load(f"{STEPS}control: {{check_resource: {word}}}").control.check_resource is True


@pytest.mark.parametrize("blank", ["", "~", "''"])
def test_an_empty_control_value_is_the_default(load: LoadText, blank: str) -> None:
    plan = load(f"{STEPS}control:\n  - interface_mode: {blank}\n  - backup_size: {blank}\n")

    assert (plan.control.interface_mode, plan.control.backup_size) == ("memory", 1000)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("timeout: 0", "timeout  expected a number above 0, found the number '0'"),
        ("timeout: soon", "timeout  expected a number above 0, found the text 'soon'"),
        ("retries: 1.5", "retries  expected a whole number of at least 0, found the number '1.5'"),
        ("retries: -1", "retries  expected a whole number of at least 0, found the number '-1'"),
        ("cache: never", "cache  expected True or False, found the text 'never'"),
        ("isolation: proces", "isolation  expected process, found the text 'proces'; did you mean"),
        ("environment: own", "environment  expected isolated, found the text 'own'"),
        ("code: local", "code  unknown key 'code'; there is step, args, ui_args"),
        ("arg: x", "arg  unknown key 'arg'; did you mean 'args'?"),
    ],
)
def test_a_wrong_option_of_a_step_says_what_is_allowed(
    reported: Told, options: str, problem: str
) -> None:
    (line,) = reported(f"user_parameters: {{train_pipeline: [{{step: a, {options}}}]}}")

    place, key, what = line.split("  ")
    assert place.startswith("1:")
    assert f"{key}  {what}".startswith(f"user_parameters.train_pipeline[0].{problem}")
