"""What the engine is asked for, and what it gives back."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.engine.request import RunOutcome, refuse_other_computing
from alo.errors import UsageError


def test_only_this_machine_computes() -> None:
    refuse_other_computing(computing="local")
    with pytest.raises(UsageError, match="computing 'ray' is not supported"):
        refuse_other_computing(computing="ray")


def test_an_outcome_shows_itself_in_a_line() -> None:
    outcome = RunOutcome("r1", "train", "success", 1.25, None, Path(), Path(), (), ())

    assert repr(outcome) == "<train run r1: success in 1.25 s>"
