"""What a summary takes, how it is rounded, and that any YAML reader can read it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from alolib.errors import SummaryError
from alolib.messages import LogLine
from alolib.summary import content_of, make_summary, write_summary


def stored(home: Path, kind: str = "train") -> dict[str, Any]:
    text = (home / f"{kind}_artifacts/score/{kind}_summary.yaml").read_text(encoding="utf-8")
    loaded = yaml.safe_load(text)
    assert isinstance(loaded, dict)
    return loaded


def test_a_summary_is_stored_with_date_path_and_version(
    make: Callable[..., Any], tmp_path: Path
) -> None:
    envs = {"save_inference_artifacts_path": "./out/", "solution_metadata_version": 2}
    asset = make("inference", envs=envs).asset

    given_back = asset.save_summary("양성", 0.987, "주석", {"a": 0.25, "b": 0.75})

    summary = stored(tmp_path, "inference")
    assert given_back == summary
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", summary.pop("date"))
    assert (summary.pop("file_path"), summary.pop("version")) == ("./out/", "v2")
    assert summary == asset.load_summary()
    assert summary["score"] == 0.99
    file = tmp_path / "inference_artifacts/score/inference_summary.yaml"
    assert "양성" in file.read_text(encoding="utf-8")


def test_without_metadata_and_export_path_and_version_are_empty(
    make: Callable[..., Any], tmp_path: Path
) -> None:
    make().asset.save_summary("r", 0)

    assert (stored(tmp_path)["file_path"], stored(tmp_path)["version"]) == ("", "")


def test_the_last_summary_stands(make: Callable[..., Any], tmp_path: Path) -> None:
    asset = make().asset
    asset.save_summary("first", 0)
    asset.save_summary("second", 1)

    assert stored(tmp_path)["result"] == "second"
    assert [path.name for path in (tmp_path / "train_artifacts/score").iterdir()] == [
        "train_summary.yaml"
    ]


def test_loading_before_saving_is_a_clear_error(make: Callable[..., Any]) -> None:
    with pytest.raises(SummaryError, match="save_summary"):
        make().asset.load_summary()


@pytest.mark.parametrize("content", ["", "a", "[1]", "result: r", "a: [", "\udc80"])
def test_loading_what_is_no_summary_is_a_clear_error(
    make: Callable[..., Any], tmp_path: Path, content: str
) -> None:
    asset = make().asset
    asset.save_summary("r", 0)
    file = tmp_path / "train_artifacts/score/train_summary.yaml"
    file.write_text(content, "utf-8", "surrogateescape")

    with pytest.raises(SummaryError, match=r"is no summary|cannot be read"):
        asset.load_summary()


def test_probabilities_that_an_edge_platform_would_cut_off_are_warned_of(
    make: Callable[..., Any], lines: list[LogLine]
) -> None:
    asset = make().asset
    names = [f"c{number:03}" for number in range(50)]
    fits = dict.fromkeys(names[:-1], 0.02)
    fits["x" * (1024 - len(str({**fits, "": 0.02})))] = 0.02
    too_long = {**dict(list(fits.items())[:-1]), f"{list(fits)[-1]}x": 0.02}

    asset.save_summary("r", 0, "", fits)
    assert not lines
    asset.save_summary("r", 0, "", too_long)

    (line,) = lines
    assert (line.level, line.file) == ("WARNING", "test_summary.py")
    assert "1,025 characters" in line.text
    assert "keep 1,024" in line.text


@pytest.mark.parametrize(
    "score", [0, 1, True and 1, 0.5, np.float32(0.5), np.int64(1), np.array(0.25)]
)
def test_numbers_of_any_kind_are_a_score(score: Any) -> None:
    assert type(make_summary("r", score, "", {})["score"]) is float


REFUSED = [
    (("x" * 33, 0, "", {}), "33 characters; at most 32"),
    ((5, 0, "", {}), "result is int"),
    (("r", 0, "x" * 129, {}), "129 characters; at most 128"),
    (("r", 0, None, {}), "note is NoneType"),
    (("r", 1.01, "", {}), "from 0 to 1"),
    (("r", -0.1, "", {}), "from 0 to 1"),
    (("r", float("nan"), "", {}), "NaN"),
    (("r", 10**400, "", {}), "many digits"),
    (("r", "0.5", "", {}), "has to be a number"),
    (("r", True, "", {}), "has to be a number"),
    (("r", np.array([0.1, 0.2]), "", {}), "one number"),
    (("r", 0, "", [0.5, 0.5]), "has to be a dict"),
    (("r", 0, "", {"a": 0.6}), "sum to 0.6"),
    (("r", 0, "", {"a": 0.7, "b": 0.7}), "sum to 1.4"),
    (("r", 0, "", {"a": 1.5, "b": -0.5}), "from 0 to 1"),
    (("r", 0, "", {"a": float("nan")}), "NaN"),
    (("r", 0, "", {"a": "half", "b": 0.5}), "has to be a number"),
]


@pytest.mark.parametrize(("values", "reported"), REFUSED)
def test_what_cannot_be_kept_is_reported(values: tuple[Any, ...], reported: str) -> None:
    with pytest.raises(SummaryError, match=re.escape(reported)):
        make_summary(*values)


def test_the_largest_probability_takes_up_the_difference() -> None:
    summary = make_summary("r", 0, "", {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})

    assert summary["probability"] == {"a": 0.34, "b": 0.33, "c": 0.33}


@pytest.mark.parametrize("total", [0.99, 1.01])
def test_a_sum_as_far_from_1_as_is_allowed_is_taken(total: float) -> None:
    summary = make_summary("r", 0, "", {"a": 0.7, "b": total - 0.7})

    assert summary["probability"] == {"a": round(1 - (total - 0.7), 2), "b": round(total - 0.7, 2)}


def test_more_classes_may_be_further_from_1() -> None:
    four = {name: 0.255 for name in "abcd"}

    assert make_summary("r", 0, "", four)
    with pytest.raises(SummaryError, match=re.escape("sum to 1.02")):
        make_summary("r", 0, "", {"a": 0.51, "b": 0.51})


@pytest.mark.parametrize(
    ("exact", "stored"),
    [
        ({"a": 0.501, "b": 0.499}, {"a": 0.501, "b": 0.499}),
        ({"a": 0.5, "b": 0.5, "c": 0.015}, {"a": 0.5, "b": 0.49, "c": 0.01}),
        ({"a": 1}, {"a": 1.0}),
    ],
)
def test_as_many_decimals_as_it_takes_to_keep_the_largest(
    exact: dict[str, float], stored: dict[str, float]
) -> None:
    assert make_summary("r", 0, "", exact)["probability"] == stored


@given(st.lists(st.floats(0.0001, 1), min_size=1, max_size=400), st.floats(-1, 1))
def test_rounded_probabilities_sum_to_one_and_keep_their_largest(
    weights: list[float], deviation: float
) -> None:
    total = sum(weights) / (1 + deviation * max(0.01, 0.005 * len(weights)))
    exact = {f"c{number}": min(weight / total, 1) for number, weight in enumerate(weights)}

    rounded: Any = make_summary("r", 0, "", exact)["probability"]

    assert abs(sum(rounded.values()) - 1) < 1e-9
    assert min(rounded.values()) >= 0
    largest = max(exact.values())
    assert exact[max(rounded, key=lambda name: rounded[name])] >= largest - 1e-9


@given(st.lists(st.integers(0, 60), min_size=1, max_size=60).filter(any))
def test_no_more_decimals_than_it_takes(weights: list[int]) -> None:
    exact = {f"c{number}": weight / sum(weights) for number, weight in enumerate(weights)}
    top = max(exact, key=lambda name: exact[name])
    two = {name: round(number, 2) for name, number in exact.items()}
    two[top] = round(1 - sum(two[name] for name in exact if name != top), 2)
    keeps_the_largest = all(
        number < two[top] or (number == two[top] and exact[name] == exact[top])
        for name, number in two.items()
        if name != top
    )

    rounded: Any = make_summary("r", 0, "", exact)["probability"]

    if two[top] >= 0 and keeps_the_largest:
        assert rounded == two
    else:
        assert any(number != round(number, 2) for number in rounded.values())


@given(
    st.text(max_size=32),
    st.text(max_size=128),
    st.lists(st.text(), min_size=1, max_size=5, unique=True),
)
def test_any_text_is_read_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, result: str, note: str, names: list[str]
) -> None:
    summary = make_summary(result, 0.5, note, {name: 1 / len(names) for name in names})
    file = tmp_path_factory.getbasetemp() / "score" / "any.yaml"

    write_summary(str(file), summary, "", "")

    loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
    for key in ("result", "score", "note", "probability"):
        assert loaded[key] == summary[key]


def test_class_names_become_plain(tmp_path: Path) -> None:
    summary = make_summary("r", 0, "", {np.int64(3): 0.5, np.str_("no"): np.float32(0.5)})

    write_summary(str(tmp_path / "s.yaml"), summary, "", "")

    text = (tmp_path / "s.yaml").read_text()
    assert "!" not in text
    assert yaml.safe_load(text)["probability"] == {3: 0.5, "no": 0.5}


WORDS = [
    "no",
    "1e3",
    "~",
    "null",
    "- a",
    "a: b",
    "#",
    "",
    " x ",
    "1:20",
    "=",
    "<<",
    "\x00\x85",
    "\U0001f600",
]


@pytest.mark.parametrize("word", WORDS)
def test_text_that_yaml_could_take_for_something_else_stays_text(
    word: str, make: Callable[..., Any], tmp_path: Path
) -> None:
    make().asset.save_summary(word, 0, word, {word: 1})

    summary = stored(tmp_path)
    assert (summary["result"], summary["note"], summary["probability"]) == (word, word, {word: 1})


def test_a_summary_that_cannot_be_written_leaves_the_one_before(
    make: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = make().asset
    asset.save_summary("first", 0)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(SummaryError, match="No space left"):
        asset.save_summary("second", 1)

    assert stored(tmp_path)["result"] == "first"
    names = [path.name for path in (tmp_path / "train_artifacts/score").iterdir()]
    assert names == ["train_summary.yaml"]


def test_a_later_step_loads_the_summary_and_may_save_its_own(make: Callable[..., Any]) -> None:
    make(step="train").asset.save_summary("first", 0.5, "note")
    later = make(step="report", data={}).asset

    assert later.load_summary() == {
        "result": "first",
        "score": 0.5,
        "note": "note",
        "probability": {},
    }
    later.save_summary("second", 1)
    assert later.load_summary()["result"] == "second"


def test_many_classes_are_stored_with_more_decimals() -> None:
    summary: Any = make_summary("r", 0, "", {n: 0.006 if n else 0.406 for n in range(100)})

    assert summary["probability"][0] == 0.406
    assert summary["probability"][1] == 0.006


@pytest.mark.parametrize("name", [float("nan"), float("inf"), None, (1, 2)])
def test_a_class_name_that_yaml_has_no_plain_form_for_becomes_text(
    name: object, make: Callable[..., Any], tmp_path: Path
) -> None:
    saved = make().asset.save_summary("r", 0, "", {name: 1})

    assert saved["probability"] == stored(tmp_path)["probability"] == {str(name): 1}


@pytest.mark.parametrize(
    "result", ["fine", "a: b # c", 'quo"ted\\', "é\t", "half \ud800", "\ufffd"]
)
@pytest.mark.parametrize(
    "probability", [{}, {1: 0.5, 2: 0.5}, {True: 0.25, "x: #": 0.75}, {1e-7: 1}, {"null": 1, "": 0}]
)
def test_what_is_known_of_a_file_is_what_its_text_says(
    result: str, probability: dict[object, float], tmp_path: Path
) -> None:
    file = tmp_path / "score" / "summary.yaml"
    written: Any = write_summary(str(file), make_summary(result, 1, "", probability), "/a/", "2")
    written["probability"]["changed"] = written["result"] = "changed"
    text = file.read_bytes()

    known = content_of(text)

    assert known == (None if "\ufffd" in text.decode() else yaml.safe_load(text))
    assert content_of(text + b"more: 1\n") is None
