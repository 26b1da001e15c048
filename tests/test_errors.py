from __future__ import annotations

import ast
import copy
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import alo
import alolib.errors
from alo import errors
from alo.errors import AloError, CheckError, Interrupted, Problem, StepError, in_one_line, passed_on

CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, AloError)
]


# Packages whose errors all say what to do, and modules in them whose `what` says it.
SAY_WHAT_TO_DO = ("batch", "datasets", "executors", "gate", "loop", "review")
SAID_BY_THEMSELVES = {
    "executors/node/store.py": "what a driver sends is not as it should be: no user can mend it",
    "loop/record_inputs.py": "it is caught there",
    "review/deciding.py": "how many decisions are taken at once",
    "review/labels.py": "what a label may be",
}


# What steers the flow of control and is no fault, or has been a public name from the first.
NO_FAULTS = {
    *("TrialPruned", "StoppedByAsset", "WorkspaceBusy", "Interrupted", "Stopped", "ContinueIn"),
    *("GoesElsewhere", "ReaderGone", "_Cancelled", "_GivenUp", "_Ended", "_Abandoned"),
}


def make(kind: type[AloError]) -> AloError:
    what = (Problem("wrong", "plan.yaml", 3, 5),) if issubclass(kind, CheckError) else "wrong"
    return kind(what, fix="mend it")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_survives_pickling_and_copying_whole(kind: type[AloError]) -> None:
    error = make(kind)
    error.where = "here"

    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301
        assert type(again) is kind
        assert str(again) == str(error)
        assert vars(again) == vars(error)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("UsageError", 2),
        ("CheckError", 2),
        ("PlanError", 2),
        ("MetadataError", 2),
        ("RunError", 1),
        ("StepError", 1),
        ("StagingError", 1),
        ("ResultError", 1),
        ("ExportError", 1),
        ("StoreError", 1),
        ("HistoryError", 1),
        ("WorkspaceBusy", 1),
        ("ContractError", 1),
    ],
)
def test_the_class_says_the_exit_status(name: str, status: int) -> None:
    assert make(getattr(errors, name)).exit_status == status


@pytest.mark.parametrize(("number", "status"), [(2, 130), (15, 143)])
def test_an_interruption_has_the_exit_status_of_its_signal(number: int, status: int) -> None:
    assert Interrupted("stopped", signal_number=number).exit_status == status


def test_what_where_and_fix_are_lines_of_their_own() -> None:
    assert str(AloError("wrong", where="plan.yaml:3", fix="mend it")) == (
        "wrong\n  where: plan.yaml:3\n  fix: mend it"
    )
    assert str(AloError("wrong")) == "wrong"


def test_a_failed_step_keeps_its_authors_traceback() -> None:
    error = StepError("failed", step="train", user_traceback="Traceback ...")

    again = pickle.loads(pickle.dumps(error))  # noqa: S301

    assert (again.step, again.user_traceback) == ("train", "Traceback ...")


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("wrong"), "wrong"),
        (Problem("wrong", "plan.yaml"), "plan.yaml  wrong"),
        (Problem("wrong", "plan.yaml", 14, 15, "a.b[1].c"), "plan.yaml:14:15  a.b[1].c  wrong"),
        (Problem("wrong", "plan.yaml", 14), "plan.yaml:14  wrong"),
        (Problem("wrong", key="a.b"), "a.b  wrong"),
    ],
)
def test_a_problem_begins_with_its_place(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_of_many_problems_the_first_50_are_reported_and_the_rest_counted() -> None:
    problems = [Problem(f"wrong {number}") for number in range(63)]

    lines = str(CheckError(problems)).split("\n")

    assert lines[0] == "wrong 0"
    assert lines[49] == "wrong 49"
    assert lines[50:] == ["... and 13 more problems"]
    assert CheckError(problems).problems == tuple(problems)


def raised_without_a_fix(path: Path) -> Iterator[str]:
    names = {kind.__name__ for kind in CLASSES if not issubclass(kind, CheckError)}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Raise) and isinstance(call := node.exc, ast.Call):
            given = {each.arg for each in call.keywords}
            if ast.unparse(call.func) in names and "fix" not in given:
                yield f"{path.name}:{node.lineno}: {ast.unparse(call)}"


@pytest.mark.parametrize("package", SAY_WHAT_TO_DO)
def test_an_error_says_what_to_do(package: str) -> None:
    source = Path(alo.__file__).parent
    found = {
        str(path.relative_to(source)): those
        for path in sorted((source / package).rglob("*.py"))
        if (those := list(raised_without_a_fix(path)))
    }

    excused = {name for name in SAID_BY_THEMSELVES if name.startswith(f"{package}/")}
    assert {name: those for name, those in found.items() if name not in excused} == {}
    assert excused <= found.keys()


def test_the_errors_of_the_asset_api_are_among_them() -> None:
    own = {name for name, value in vars(alolib.errors).items() if isinstance(value, type)}

    assert own <= set(errors.__all__)


def test_the_reference_lists_every_class_with_its_status() -> None:
    text = (Path(__file__).parents[1] / "docs/reference/errors.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \*? ?\| (\d+|128 \+ signal) \|", text, re.MULTILINE))

    public = {kind.__name__: kind for kind in CLASSES if kind is not AloError}
    assert rows.pop("Interrupted") == "128 + signal"
    assert rows.keys() == public.keys() - {"Interrupted"}
    assert {name: public[name].exit_status for name in rows} == {
        name: int(status) for name, status in rows.items()
    }


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (AloError("bad"), ("it failed: bad", "here", "do this")),
        (AloError("bad", where="there"), ("it failed: bad", "there; here", "do this")),
        (
            AloError("bad\nand worse", where="there", fix="mend it"),
            ("it failed: bad\nand worse", "there; here", "mend it; do this"),
        ),
    ],
)
def test_an_error_that_is_passed_on_has_each_part_once(
    cause: AloError, expected: tuple[str, str, str]
) -> None:
    error = passed_on(StepError, "it failed: ", str(cause), where="here", fix="do this")

    assert (error.what, error.where, error.fix) == expected
    assert str(error).count("  fix: ") == 1


def test_an_error_in_one_line_has_all_that_it_says_and_not_where_or_what_to_do() -> None:
    error = StepError("it failed: bad:\ncould not read\n  'n/a?'", where="here", fix="do this")

    assert in_one_line(str(error)) == "it failed: bad: could not read 'n/a?'"
    assert in_one_line("x" * 501) == "x" * 497 + "..."
    assert in_one_line("") == ""


def test_exceptions_that_are_no_faults_are_listed_and_all_others_end_in_error() -> None:
    packages = (Path(package.__file__ or "").parent for package in (alo, alolib))
    texts = (path.read_text() for package in packages for path in package.rglob("*.py"))
    exempt = {name for text in texts for name in re.findall(r"class (\w+)\(.*# noqa: N818", text)}

    assert exempt == NO_FAULTS
