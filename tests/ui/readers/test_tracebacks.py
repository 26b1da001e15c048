"""Tracebacks are shown so that the asset's own line is found at once."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from alo.ui.readers.tracebacks import traceback_lines

HOME = Path("/srv/project")
TEXT = """step 'train' failed: ValueError: one class
Traceback (most recent call last):
  File "/srv/project/assets/train/asset_train.py", line 31, in run
    model = self.make_model().fit(x, y)
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/venv/lib/python3.11/site-packages/sklearn/base.py", line 1403, in wrapper
    return fit_method(estimator, *args, **kwargs)
  File "/opt/tools/other.py", line 2, in call
    pass
ValueError: one class"""


def test_own_frames_are_reported_from_those_of_packages_with_their_source() -> None:
    kinds = [each.kind for each in traceback_lines(TEXT, HOME)]

    assert kinds == ["", "", "own", "own", "own", "library", "library", "", "", ""]


def test_paths_are_cut_to_what_says_something() -> None:
    texts = [each.text for each in traceback_lines(TEXT, HOME)]

    assert texts[2] == '  File "assets/train/asset_train.py", line 31, in run'
    assert texts[5] == '  File "sklearn/base.py", line 1403, in wrapper'
    assert texts[7] == '  File "/opt/tools/other.py", line 2, in call'


def test_an_environment_below_the_project_is_not_its_code() -> None:
    text = '  File "/srv/project/.venv/lib/python3.12/site-packages/pandas/io.py", line 1, in read'

    (line,) = traceback_lines(text, HOME)

    assert (line.text, line.kind) == ('  File "pandas/io.py", line 1, in read', "library")


@given(st.text())
def test_any_text_keeps_its_lines(text: str) -> None:
    assert len(traceback_lines(text, HOME)) == len(text.splitlines())
