"""Errors of the asset API say where the asset made the call."""

from __future__ import annotations

import pickle

from alolib.errors import ContractError, PathError


def test_an_error_names_the_line_that_made_the_call() -> None:
    error = ContractError("wrong", fix="mend it")

    assert error.where.startswith("tests/alolib/test_errors.py:")
    assert error.where.endswith(", in test_an_error_names_the_line_that_made_the_call()")
    assert str(error) == f"wrong\n  where: {error.where}\n  fix: mend it"


def test_a_better_place_stands() -> None:
    assert PathError("wrong", where="the plan").where == "the plan"


def test_an_error_is_the_same_in_another_process() -> None:
    error = ContractError("wrong", where="here", fix="mend it")

    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own

    assert (type(again), str(again), vars(again)) == (ContractError, str(error), vars(error))
