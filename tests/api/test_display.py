"""What a person at a notebook sees."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import pytest

import alo

MakeSolution = Callable[..., Path]


def test_output_goes_where_standard_output_goes_in_each_cell(
    make_solution: MakeSolution, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a notebook, where ``%%capture`` sends the output of one cell elsewhere."""
    home = make_solution({"train": "print('from the asset'); self.asset.save_info('a message')"})
    captured = io.StringIO()
    with redirect_stdout(captured):
        project = alo.Project(home)
    captured.close()

    project.train.run()
    second = io.StringIO()
    with redirect_stdout(second):
        project.run_count = project.train.save().status  # type: ignore[attr-defined]
        project.run("train")

    assert "from the asset" in capsys.readouterr().out
    shown = second.getvalue()
    assert "from the asset" in shown
    assert "a message" in shown
    assert "step 1 of 1  train  done in" in shown


def test_a_listener_that_fails_does_not_end_a_run_in_parts(make_solution: MakeSolution) -> None:
    def fail(event: object) -> None:
        raise RuntimeError("the window is closed")

    pipeline = alo.Project(make_solution({"train": "print(1)"}), listener=fail).train

    assert pipeline.run().save().status == "success"


def test_a_listener_that_counts_as_false_is_one_all_the_same(make_solution: MakeSolution) -> None:
    class Heard(list[object]):
        __call__ = list.append

    heard = Heard()

    alo.Project(make_solution({"train": ""}), listener=heard).run()

    assert heard
