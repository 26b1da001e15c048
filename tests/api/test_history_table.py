"""Past runs as a data frame."""

from __future__ import annotations

import alo


def test_history_is_a_data_frame_with_a_column_for_each_arg(project: alo.Project) -> None:
    project.run()

    table = project.history()

    assert list(table["pipeline"]) == ["inference", "train"]
    assert table.loc[1, "train.factor"] == 1
    assert len(project.history("train")) == 1


def test_history_is_empty_before_the_first_run(project: alo.Project) -> None:
    assert len(project.history()) == 0
