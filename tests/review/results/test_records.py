"""Records of a run: joined with its input or refused and counted, never guessed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.errors import ReviewError
from alo.review.results.records import RunRecords, read_records
from alo.review.results.tables import RunFiles, output_path
from alo.review.settings import ReviewSettings
from alo.tables.content import picture_content, row_content

Read = Callable[..., RunRecords]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """``read("output", "input", key="id")``: the records of a run with these tables."""

    def read_it(
        output: str | bytes | None, given: str | None = None, **settings: object
    ) -> RunRecords:
        folder = tmp_path / "output"
        folder.mkdir()
        if output is not None:
            content = output.encode() if isinstance(output, str) else output
            (folder / "output.csv").write_bytes(content)
        if given is not None:
            (tmp_path / "input").mkdir()
            (tmp_path / "input/rows.csv").write_text(given, encoding="utf-8")
        run = RunFiles("run-a", folder, tmp_path / "input" if given is not None else None)
        return read_records(run, ReviewSettings(**settings))  # type: ignore[arg-type]

    return read_it


def test_rows_are_joined_by_their_position_where_the_counts_agree(read: Read) -> None:
    found = read("prediction\ngood\nbad\n", "x,y\n1,2\n3,4\n")

    of = row_content(["x", "y"])
    assert [(each.at, each.predicted, each.content) for each in found.records] == [
        (0, "good", of(["1", "2"])),
        (1, "bad", of(["3", "4"])),
    ]


def test_rows_whose_counts_differ_are_refused_all(read: Read) -> None:
    found = read("prediction\ngood\n", "x\n1\n2\n")

    assert not found.records
    ((why, count),) = found.refused.items()
    assert count == 1
    assert "the output has 1 row, the input 2" in why


def test_a_key_joins_rows_of_another_order_and_leaves_out_what_it_cannot(read: Read) -> None:
    found = read(
        "id,prediction\nc,good\na,bad\nz,good\nd,bad\ne,bad\ne,good\n",
        "id,x\na,1\nb,2\nc,3\nd,4\nd,5\ne,6\n",
        key="id",
    )

    of = row_content(["id", "x"])
    assert [(each.at, each.content) for each in found.records] == [
        (0, of(["c", "3"])),
        (1, of(["a", "1"])),
    ]
    assert found.refused == {
        "its 'id' is not in the input": 1,
        "its 'id' is more than once in the input": 1,
        "its 'id' is more than once in the output": 2,
    }


def test_the_same_case_of_two_runs_and_of_a_train_table_has_one_id(read: Read) -> None:
    found = read("prediction\ngood\n", "y,x\n2,1\n", label="diagnosis")

    train_row = row_content(["x", "diagnosis", "y"], label="diagnosis")(["1", "ill", "2"])
    assert found.records[0].content == train_row


def test_without_the_input_the_other_columns_of_the_output_are_the_case(read: Read) -> None:
    found = read(
        "x,y,prediction,p\n1,2,good,0.9\n",
        probabilities={"good": "p"},
    )

    assert found.records[0].content == row_content(["x", "y"])(["1", "2"])


@pytest.mark.parametrize(
    ("settings", "certainty"),
    [
        ({"probabilities": {"good": "p", "bad": "q"}}, [0.9, 0.8]),
        ({"probabilities": {"good": "p"}}, [0.9, 0.8]),
        ({"certainty": "q"}, [0.1, 0.8]),
        ({}, [None, None]),
    ],
)
def test_certainty_is_that_of_the_predicted_class(
    read: Read, settings: dict[str, object], certainty: list[float | None]
) -> None:
    found = read("prediction,p,q\ngood,0.9,0.1\nbad,0.2,0.8\n", **settings)

    assert [each.certainty for each in found.records] == pytest.approx(certainty)


@pytest.mark.parametrize("odd", ["nan", "inf", "-0.1", "1.1", "", "much"])
def test_a_certainty_that_is_none_is_not_known(read: Read, odd: str) -> None:
    found = read(f"prediction,p\ngood,{odd}\n", certainty="p")

    assert found.records[0].certainty is None


def test_probabilities_that_do_not_sum_are_said_once(read: Read) -> None:
    found = read(
        "prediction,p,q\ngood,0.9,0.9\nbad,0.2,0.3\n", probabilities={"good": "p", "bad": "q"}
    )

    assert found.notes == ["probabilities that do not sum to 1: 1.8"]


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"prediction": "label"}, "no column 'label', which review.prediction names"),
        ({"certainty": "sure"}, "no column 'sure', which review.certainty names"),
        ({"key": "id"}, "no column 'id', which review.key names"),
        ({"probabilities": {"good": "p"}}, "no column 'p', which review.probabilities.good names"),
    ],
)
def test_a_column_that_is_not_there_is_said_with_those_that_are(
    read: Read, settings: dict[str, object], what: str
) -> None:
    with pytest.raises(ReviewError, match=what) as reported:
        read("prediction,x\ngood,1\n", **settings)

    assert "columns: prediction, x" in reported.value.fix


def test_of_many_columns_the_first_are_said(read: Read) -> None:
    names = [f"c{number}" for number in range(5000)]

    with pytest.raises(ReviewError) as reported:
        read(f"{','.join(names)}\n", prediction="label")

    assert "c19 and 4980 more" in reported.value.fix


@pytest.mark.parametrize("content", ["", None])
def test_no_output_is_an_error_in_words(read: Read, content: str | None) -> None:
    with pytest.raises(ReviewError, match=r"output.csv"):
        read(content)


def test_one_table_of_another_name_is_the_output(read: Read, tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    (tmp_path / "output/predicted.csv").write_text("prediction\ngood\n")

    found = read_records(RunFiles("r", tmp_path / "output", None), ReviewSettings())

    assert len(found.records) == 1


def test_rows_without_a_prediction_are_left_out_and_counted(read: Read) -> None:
    found = read("x,prediction\n1,\n2\n3,good\n")

    assert [each.at for each in found.records] == [2]
    assert found.refused == {"no value in column 'prediction'": 2}
    assert found.rows == 3


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp949", "utf-16"])
def test_an_output_of_another_encoding_is_read(read: Read, encoding: str) -> None:
    text = "prediction,값\n" + "악성,1\n" * 40

    assert read(text.encode(encoding)).records[0].predicted == "악성"


def test_pictures_are_known_by_their_bytes_and_missing_ones_are_refused(
    read: Read, tmp_path: Path
) -> None:
    output = (
        "file,prediction\na.png,good\nsub/b.png,bad\nnone.png,bad\n../output/output.csv,bad\n,x\n"
    )
    read_it = RunFiles("r", tmp_path / "output", tmp_path / "input")
    (tmp_path / "output").mkdir()
    (tmp_path / "output/output.csv").write_text(output)
    (tmp_path / "input/sub").mkdir(parents=True)
    (tmp_path / "input/a.png").write_bytes(b"a")
    (tmp_path / "input/sub/b.png").write_bytes(b"b")

    found = read_records(read_it, ReviewSettings(image="file"))

    assert [each.content for each in found.records] == [
        picture_content(b"a"),
        picture_content(b"b"),
    ]
    assert found.refused == {"its picture is missing": 3}
    assert found.notes[0] == f"r: row 2: no picture 'none.png' in {tmp_path / 'input'}"


def test_no_more_missing_pictures_are_named_than_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    (tmp_path / "input").mkdir()
    rows = "".join(f"{n}.png,good\n" for n in range(50))
    (tmp_path / "output/output.csv").write_text(f"file,prediction\n{rows}")
    run = RunFiles("r", tmp_path / "output", tmp_path / "input")

    found = read_records(run, ReviewSettings(image="file"))

    assert found.refused == {"its picture is missing": 50}
    assert len(found.notes) == 5


def test_a_quote_that_is_not_closed_is_said_and_hides_no_other_row(read: Read) -> None:
    found = read('x,prediction\n1,good\n"2,bad\n3,good\n')

    assert [each.predicted for each in found.records] == ["good", "bad", "good"]
    assert "row 3, column 1: a quote is not closed" in found.notes[0]


def test_columns_of_the_same_name_are_numbered_and_said(read: Read) -> None:
    found = read("x,prediction,prediction\n1,good,bad\n")

    assert [each.predicted for each in found.records] == ["good"]
    assert "columns with the same name, here numbered: prediction" in found.notes[0]


def test_fewer_rows_than_the_input_are_joined_by_the_key(read: Read) -> None:
    found = read("id,prediction\nb,good\n", "id,x\na,1\nb,2\n", key="id")

    assert [each.content for each in found.records] == [row_content(["id", "x"])(["b", "2"])]


@pytest.mark.parametrize("column", ["p", "prediction"])
def test_a_certainty_that_is_no_number_leaves_the_record_in_the_review(
    read: Read, column: str
) -> None:
    found = read("prediction,p\ngood,nan\nbad,inf\ngood,-0.1\ngood,\n", certainty=column)

    assert [each.certainty for each in found.records] == [None] * 4


def test_inputs_of_several_tables_are_one_and_of_different_columns_none(
    read: Read, tmp_path: Path
) -> None:
    (tmp_path / "input").mkdir()
    (tmp_path / "output").mkdir()
    (tmp_path / "output/output.csv").write_text("prediction\ngood\nbad\n")
    (tmp_path / "input/1.csv").write_text("x\n1\n")
    (tmp_path / "input/2.csv").write_text("x\n2\n")
    run = RunFiles("r", tmp_path / "output", tmp_path / "input")

    whole = read_records(run, ReviewSettings())
    (tmp_path / "input/2.csv").write_text("y\n2\n")
    odd = read_records(run, ReviewSettings())

    assert whole.records[1].content == row_content(["x"])(["2"])
    assert "different columns" in odd.notes[0]


def test_a_picture_is_found_by_its_name_alone_where_only_one_is_called_so(
    tmp_path: Path,
) -> None:
    (tmp_path / "output").mkdir()
    (tmp_path / "output/output.csv").write_text("file,prediction\na.png,x\nx/b.png,x\nb.png,x\n")
    for name in ("source/a.png", "source/x/b.png", "source/y/b.png"):
        path = tmp_path / "input" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())

    run = RunFiles("r", tmp_path / "output", tmp_path / "input")
    found = read_records(run, ReviewSettings(image="file"))

    assert [each.content for each in found.records] == [
        picture_content(b"source/a.png"),
        picture_content(b"source/x/b.png"),
    ]
    assert found.refused == {"its picture is missing": 1}


@pytest.mark.parametrize("odd", ['"two\nlines"', "x" * 201, "nu\0l", "  "])
def test_a_prediction_that_cannot_be_a_label_costs_its_own_row(read: Read, odd: str) -> None:
    found = read(f"prediction,x\n{odd},1\ngood,2\n")

    assert [each.predicted for each in found.records] == ["good"]
    assert found.refused == {"the value in column 'prediction' cannot be a label": 1}


def test_a_link_that_leads_out_of_the_runs_folder_is_no_output(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("prediction\nroot\n")
    folder = tmp_path / "of a run"
    folder.mkdir()
    (folder / "output.csv").symlink_to("../secret.csv")

    with pytest.raises(ReviewError, match=r"has no output\.csv"):
        output_path(RunFiles("run-a", folder, None))

    (folder / "output.csv").unlink()
    (folder / "real").write_text("prediction\ngood\n")
    (folder / "output.csv").symlink_to("real")
    assert output_path(RunFiles("run-a", folder, None)).is_file()
