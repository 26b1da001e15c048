"""The file of the steps that a run has taken: shared where it is the same, and never half one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alo.store.manifest import ManifestError
from alo.store.taken import FORMAT, TAKEN, TakenSteps

STEPS = {"one": 1, "two": 2, "three": 3}


def document(number: int) -> dict[str, int]:
    return {"number": number}


@pytest.fixture
def runs(tmp_path: Path) -> dict[str, Path]:
    """The folders of three runs; the first has run its steps."""
    folders = {name: tmp_path / name for name in ("r1", "r2", "r3")}
    for folder in folders.values():
        folder.mkdir()
    for step in STEPS:
        (folders["r1"] / f"{step}.json").write_text("its own")
    return folders


@pytest.fixture
def shared(runs: dict[str, Path]) -> dict[str, Path]:
    """The second has taken all steps from the first, and the third from the second."""
    for source, target in (("r1", "r2"), ("r2", "r3")):
        TakenSteps().give(runs[source], runs[target], STEPS, document)
    return runs


def all_of(folder: Path) -> dict[str, Any]:
    return dict(TakenSteps().of(folder))


def test_a_run_that_has_run_its_steps_has_no_such_file(runs: dict[str, Path]) -> None:
    assert all_of(runs["r1"]) == {}


def test_what_was_taken_is_found_also_without_the_run_that_it_is_of(
    shared: dict[str, Path],
) -> None:
    (shared["r2"] / TAKEN).unlink()

    assert all_of(shared["r3"]) == {
        "one": {"number": 1},
        "two": {"number": 2},
        "three": {"number": 3},
    }
    assert [*all_of(shared["r3"])] == [*STEPS]


def test_two_runs_that_have_taken_the_same_have_one_file(shared: dict[str, Path]) -> None:
    assert (shared["r2"] / TAKEN).samefile(shared["r3"] / TAKEN)


def test_who_takes_less_has_a_file_of_its_own(shared: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "r4").mkdir()

    TakenSteps().give(shared["r3"], tmp_path / "r4", {"one": 1}, document)

    assert [*all_of(tmp_path / "r4")] == ["one"]
    assert len(all_of(shared["r3"])) == 3


def test_a_step_that_the_other_run_has_run_itself_is_not_taken_from_its_file(
    shared: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "r4").mkdir()
    (shared["r3"] / "two.json").write_text("its own")

    TakenSteps().give(shared["r3"], tmp_path / "r4", {**STEPS, "two": 22}, document)

    assert all_of(tmp_path / "r4")["two"] == {"number": 22}


def test_steps_come_one_by_one_up_to_the_first_that_is_missing(shared: dict[str, Path]) -> None:
    (shared["r3"] / "two.json").write_text("its own")
    own = {"two": ("own", 0)}

    found = TakenSteps().each(
        shared["r3"],
        ["one", "two", "four", "three"],
        lambda step, content: (step, content["number"]),
        own.get,
    )

    assert list(found) == [("one", 1), ("own", 0)]


def test_a_run_that_is_not_there_has_no_steps(tmp_path: Path) -> None:
    found = TakenSteps().each(tmp_path / "none", ["one"], lambda *_: "taken", lambda _: "own")

    assert list(found) == []


def test_a_step_that_is_run_after_all_is_dropped_in_this_run_alone(
    runs: dict[str, Path],
) -> None:
    TakenSteps().give(runs["r1"], runs["r2"], STEPS, document)
    taken = TakenSteps()
    taken.give(runs["r2"], runs["r3"], STEPS, document)

    taken.drop(runs["r3"], "two")
    taken.drop(runs["r3"], "other")

    assert [*all_of(runs["r3"])] == [*taken.of(runs["r3"])] == ["one", "three"]
    assert [*all_of(runs["r2"])] == [*STEPS]


@pytest.mark.parametrize("spoil", ["torn", "changed", "version"])
def test_a_file_that_is_not_what_was_written_is_an_error(
    shared: dict[str, Path], spoil: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = shared["r3"] / TAKEN
    content = file.read_bytes()
    if spoil == "version":
        monkeypatch.setattr("alo.store.taken.FORMAT", FORMAT + 1)
    else:
        file.write_bytes(content[:-9] if spoil == "torn" else content.replace(b"two", b"tow"))

    with pytest.raises(ManifestError):
        TakenSteps().of(shared["r3"])
