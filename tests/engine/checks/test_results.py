from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.engine.checks.results import check_results
from alo.errors import ResultError
from alo.events.types import LogLine


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """An inference's artifacts with a summary and no output yet."""
    artifacts = tmp_path / "inference_artifacts"
    for name in ("score", "output", "extra_output"):
        (artifacts / name).mkdir(parents=True)
    (artifacts / "score/inference_summary.yaml").write_text("result: OK\n")
    return artifacts


def put(artifacts: Path, *names: str) -> None:
    for name in names:
        (artifacts / "output" / name).write_bytes(b"x")


@pytest.mark.parametrize(
    "names",
    [
        ["output.csv"],
        ["output.jpg"],
        ["photo.JPEG"],
        ["a.png"],
        ["plot.svg"],
        ["output.csv", "output.png"],
        ["결과.CSV", "결과.jpg"],
    ],
    ids=" ".join,
)
def test_a_table_an_image_or_one_of_each_is_a_result(names: list[str], artifacts: Path) -> None:
    put(artifacts, *names)

    odd = check_results(artifacts).odd

    reported = {name for name in names if any(f"output/{name}: " in line for line in odd)}
    assert reported == {"photo.JPEG", "plot.svg", "결과.CSV"} & set(names)
    assert len(odd) == len(reported)


@pytest.mark.parametrize(
    "names",
    [
        ["a.csv", "b.csv"],
        ["a.png", "b.jpg"],
        ["a.csv", "b.png", "c.txt"],
        ["output.parquet"],
        ["csv"],
        [".csv"],
    ],
    ids=" ".join,
)
def test_any_other_output_is_reported_with_what_is_there_and_what_is_allowed(
    names: list[str], artifacts: Path
) -> None:
    put(artifacts, *names)

    with pytest.raises(ResultError) as caught:
        check_results(artifacts)

    assert f"holds {', '.join(names)};" in caught.value.what
    assert "one table (.csv)" in caught.value.what
    assert caught.value.where == "inference_artifacts/output/"
    assert "get_extra_output_path" in caught.value.fix


@pytest.mark.parametrize("is_there", [True, False])
def test_an_output_that_is_empty_or_not_there_is_no_result(is_there: bool, artifacts: Path) -> None:
    if not is_there:
        (artifacts / "output").rmdir()

    with pytest.raises(ResultError, match="output folder is empty"):
        check_results(artifacts)


def test_folders_in_the_output_do_not_count(artifacts: Path) -> None:
    (artifacts / "output/parts").mkdir()
    put(artifacts, "output.csv")

    check_results(artifacts)


def test_of_many_files_ten_are_named(artifacts: Path) -> None:
    put(artifacts, *(f"{number:02}.csv" for number in range(30)))

    with pytest.raises(ResultError) as caught:
        check_results(artifacts)

    assert "09.csv, ...;" in caught.value.what
    assert "10.csv" not in caught.value.what


def test_without_a_summary_there_is_no_result_whatever_the_output(artifacts: Path) -> None:
    put(artifacts, "output.csv")
    (artifacts / "score/inference_summary.yaml").unlink()

    with pytest.raises(ResultError, match="no summary") as caught:
        check_results(artifacts)

    assert caught.value.where == "inference_artifacts/score/inference_summary.yaml"
    assert "save_summary" in caught.value.fix


def test_a_run_warns_of_a_suffix_that_the_edge_client_does_not_look_for(
    make_solution: Callable[..., Path], run: Callable[..., Any], heard: Any
) -> None:
    code = "self.asset.save_summary('r', 1)\nPath(self.asset.get_output_path(), 'a.CSV').touch()"
    home = make_solution(inference={"use": code})

    (done,) = run(home, "inference")

    assert done.status == "success"
    warned = [line.text for line in heard.of(LogLine) if line.level == "WARNING"]
    assert any(text.startswith("output/a.CSV: ") for text in warned)
