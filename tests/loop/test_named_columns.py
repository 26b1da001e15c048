"""Label and slices are looked at when a review is made, not once they are needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.errors import ReviewError
from alo.layout import Workspace
from alo.loop.named_columns import check_label, check_slices
from alo.review.results.tables import RunFiles
from alo.review.settings import ReviewSettings

MEASURED = [str(n / 7) for n in range(300)]
MakeRun = Callable[..., RunFiles]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """``make_run("a", "id,x", "id,prediction")``: a run with heads of an input and an output."""

    def make(name: str, given: str = "", output: str = "id,prediction,p") -> RunFiles:
        folders = [tmp_path / name / part for part in ("output", "input")]
        for folder, head in zip(folders, (output, given), strict=True):
            folder.mkdir(parents=True)
            if head:
                (folder / f"{folder.name}.csv").write_text(f"{head}\n")
        return RunFiles(name, folders[0], folders[1] if given else None)

    return make


@pytest.fixture
def workspace(make_solution: Callable[..., Path]) -> Workspace:
    """A project whose train data has a class and a measurement."""
    home = make_solution(train={"train": ""}, external={"load_train_data_path": "./known/"})
    (home / "known").mkdir()
    rows = [f"{each},{'good' if n % 2 else 'bad'}" for n, each in enumerate(MEASURED)]
    (home / "known/rows.csv").write_text("\n".join(["size,kind", *rows, ""]))
    return Workspace(home)


def test_a_slice_is_a_column_of_the_input(make_run: MakeRun) -> None:
    run = make_run("a", "id,site")

    assert check_slices([run], ReviewSettings(slices=["site"])) == []
    with pytest.raises(ReviewError, match="no input has a column 'sites'") as reported:
        check_slices([run], ReviewSettings(slices=["site", "sites"]))
    assert (reported.value.where, reported.value.fix) == ("run a", "did you mean 'site'?")
    with pytest.raises(ReviewError, match="'prediction'"):
        check_slices([run], ReviewSettings(slices=["prediction"]))


def test_without_the_input_it_is_one_of_the_output_that_the_model_did_not_say(
    make_run: MakeRun,
) -> None:
    run = make_run("a", output="id,site,prediction,p")

    assert check_slices([run], ReviewSettings(slices=["site"], certainty="p")) == []
    with pytest.raises(ReviewError, match="no input has a column 'p'") as reported:
        check_slices([run], ReviewSettings(slices=["p"], certainty="p"))
    assert reported.value.fix == "columns: id, site"


def test_one_that_some_runs_lack_is_said(make_run: MakeRun) -> None:
    runs = [make_run("a", "id,site"), make_run("b", "id"), make_run("c", output="")]

    (note,) = check_slices(runs, ReviewSettings(slices=["site"]))

    assert note == "the slice 'site' is no column of 1 run"


@pytest.mark.parametrize(("how", "what"), [("image", "pictures"), ("unit", "whole requests")])
def test_what_has_no_columns_has_no_slices_which_is_said(
    make_run: MakeRun, how: str, what: str
) -> None:
    given = ReviewSettings(slices=["site"], **{how: "file" if how == "image" else "request"})

    assert check_slices([make_run("a", "id,site")], given) == [
        f"{what} have no columns: the gate looks at no slices (site)"
    ]


def test_the_label_is_no_slice(make_run: MakeRun) -> None:
    with pytest.raises(ReviewError, match="is the label's column"):
        check_slices([make_run("a", "id,kind")], ReviewSettings(slices=["kind"], label="kind"))


def test_a_label_of_measured_numbers_is_refused_and_one_of_classes_is_not(
    make_run: MakeRun, workspace: Workspace
) -> None:
    runs = [make_run("a", "id")]

    assert check_label(workspace, runs, ReviewSettings(label="kind")) == []
    with pytest.raises(
        ReviewError, match=r"'size' of rows\.csv holds measured numbers"
    ) as reported:
        check_label(workspace, runs, ReviewSettings(label="size"))
    assert reported.value.where == str(workspace.home / "known/rows.csv")


def test_the_column_that_is_called_label_is_the_label_where_nothing_says_another(
    make_run: MakeRun, workspace: Workspace
) -> None:
    path = workspace.home / "known/rows.csv"
    path.write_text(path.read_text().replace("size", "label"))

    with pytest.raises(ReviewError, match=r"'label' of rows\.csv holds measured"):
        check_label(workspace, [make_run("a", "id")], ReviewSettings())


def test_a_column_of_the_input_is_looked_at_too(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run("a", "id,x")
    assert run.input is not None
    (run.input / "input.csv").write_text("\n".join(["id,x", *(f"k,{x}" for x in MEASURED), ""]))

    with pytest.raises(ReviewError, match=r"'x' of input\.csv holds measured numbers"):
        check_label(Workspace(tmp_path / "no project"), [run], ReviewSettings(label="x"))


def test_a_label_that_no_table_of_the_train_data_has_is_said(
    make_run: MakeRun, workspace: Workspace
) -> None:
    runs = [make_run("a", "id")]

    (note,) = check_label(workspace, runs, ReviewSettings(label="kinds"))

    assert note.startswith("no table of the plan's train data has the column 'kinds'")
    assert check_label(workspace, runs, ReviewSettings()) == []
    assert check_label(workspace, runs, ReviewSettings(label="kinds", image="file")) == []
