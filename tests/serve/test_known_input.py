"""Names and types of the columns of the last input; values are reported nowhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.layout import Workspace, find_plan
from alo.plan.load import load_plan
from alo.serve.known_input import (
    FILES,
    MOST_BYTES,
    NONE,
    TABLE,
    Column,
    KnownInput,
    columns_of,
    known_input,
    type_of,
)

MakeSolution = Callable[..., Path]
SAVES = """
Path(self.asset.get_output_path(), "out.csv").write_text("a\\n1\\n")
self.asset.save_summary(result="ok", score=0.5)
"""


def known(home: Path) -> KnownInput:
    return known_input(Workspace(home), load_plan(find_plan(home), home=home))


def put(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-2", "0"], "integer"),
        (["1", ""], "number"),
        (["1.50", "2e5", "-.5", "3."], "number"),
        (["1.5", "NaN"], "number"),
        (["True", "false"], "boolean"),
        (["00501", "2"], "string"),
        (["1", "x"], "string"),
        (["1_000"], "string"),
        (["inf"], "string"),
        (["-"], "string"),
        (["1" * 19], "number"),
        (["2024-01-01"], "string"),
        ([""], "string"),
        ([], "string"),
    ],
)
def test_a_type_is_one_that_all_cells_have(cells: list[str], kind: str) -> None:
    assert type_of(cells) == kind


def test_the_columns_are_those_of_the_staged_input(make_solution: MakeSolution) -> None:
    home = make_solution(inference={"infer": None}, external={"load_inference_data_path": "./d/"})
    put(home / "d/other.csv", "other\n1\n")
    put(home / "input/inference/d/a.csv", 'id,"a, b",ok\n007,1.5,True\n008,2,False\n')

    found = known(home)

    columns = [Column("id", "string"), Column("a, b", "number"), Column("ok", "boolean")]
    assert found == KnownInput(TABLE, columns)
    assert "007" not in str(found.to_json())


def test_where_it_was_removed_it_is_that_which_history_has(
    make_solution: MakeSolution, run: Callable[..., object]
) -> None:
    home = make_solution(inference={"infer": SAVES}, external={"load_inference_data_path": "./d/"})
    put(home / "d/a.csv", "a\n1\n")
    run(home)
    for folder in ("d", "input"):
        shutil.rmtree(home / folder)

    assert known(home).columns == [Column("a", "integer")]


def test_before_an_inference_it_is_the_data_that_the_plan_names(
    make_solution: MakeSolution,
) -> None:
    home = make_solution(inference={"infer": None}, external={"load_inference_data_path": "./d/"})
    assert known(home).kind == NONE
    put(home / "d/a.csv", "a\n1\n")

    assert known(home).columns == [Column("a", "integer")]


def test_what_new_models_are_checked_with_is_known_too(make_solution: MakeSolution) -> None:
    home = make_solution(inference={"infer": None})
    put(home / "solution/smoke/a.csv", "a\n1\n")

    assert known(home).columns == [Column("a", "integer")]


def test_pictures_are_files(make_solution: MakeSolution) -> None:
    home = make_solution(inference={"infer": None})
    for name in ("a.png", "b.png", "c.PNG", "d.jpg", "labels.csv", ".hidden"):
        put(home / "input/inference/d" / name, "x")

    assert known(home) == KnownInput(FILES, (), [".png", ".jpg", ".csv"])


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("\ufeffa,b\n1,2\n".encode(), ["a", "b"]),
        ("a,b\n1,2\n".encode("utf-16"), ["a", "b"]),
        ("이름,b\n1,2\n".encode("cp949"), ["이름", "b"]),
        ("a,a,b\n1,2,3\n", ["a", "b"]),
        ("0,1,2\n5,6,7\n", ["0", "1", "2"]),
        ("5.1,3.5\n4.9,3.0\n", []),  # a first row, and no names
        ("a\0,b\n1,2\n", []),
        ("", []),
        (b"\xff\xfe\xff", []),
        ("é,b\n1,2\n".encode("latin-1"), ["é", "b"]),
        ('a,"b\n1,2\n', []),
        (b"<script>alert(1)</script>,b\n1,2\n", ["<script>alert(1)</script>", "b"]),
    ],
)
def test_names_are_read_in_any_encoding(
    tmp_path: Path, content: str | bytes, names: list[str]
) -> None:
    found = columns_of(put(tmp_path / "a.csv", content))

    assert [each.name for each in found] == names


def test_a_large_table_is_read_to_a_whole_line(tmp_path: Path) -> None:
    line = "1,2\n"
    path = put(tmp_path / "a.csv", "a,b\n" + line * (MOST_BYTES // len(line)) + "x,y\n")

    assert columns_of(path) == [Column("a", "integer"), Column("b", "integer")]


def test_a_link_to_elsewhere_is_not_followed(make_solution: MakeSolution, tmp_path: Path) -> None:
    home = make_solution(inference={"infer": None})
    secret = put(tmp_path / "secret.csv", "secret\n1\n")
    (home / "input/inference").mkdir(parents=True)
    (home / "input/inference/a.csv").symlink_to(secret)

    assert known(home).kind == NONE
