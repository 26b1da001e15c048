"""What Ray says when it does not connect, told in a line."""

from __future__ import annotations

import pytest

from alo.errors import ExecutorError, UsageError
from alo.executors.ray.address import Address
from alo.executors.ray.refusal import is_final, refusal_of

HEAD = Address("head", 6379, False, "RAY_ADDRESS=head:6379")
MISMATCH = """Version mismatch: The cluster was started with:
    Ray: {}
    Python: {}
This process on {} was started with:
    Ray: 2.60.0
    Python: 3.11.7
"""


@pytest.mark.parametrize("side", ["node 10.0.0.1:55", "Ray Client"])
def test_other_versions_are_named_on_both_sides(side: str) -> None:
    reported = refusal_of(RuntimeError(MISMATCH.format("2.59.1", "3.12.4", side)), HEAD)

    assert isinstance(reported, UsageError)
    assert "it has Ray 2.59.1 and Python 3.12.4" in reported.what
    assert "this machine has Ray 2.60.0 and Python 3.11.7" in reported.what
    assert reported.fix.endswith("'ray[client]==2.59.1', with Python 3.12")


def test_only_what_another_try_would_not_change_is_final() -> None:
    assert is_final(RuntimeError(MISMATCH.format("2.59.1", "3.12.4", "node a")))
    assert is_final(RuntimeError("Authentication token is missing"))
    assert not is_final(ConnectionError("the session has already been cleaned up"))


def test_a_python_that_is_the_same_is_not_to_be_changed() -> None:
    reported = refusal_of(RuntimeError(MISMATCH.format("2.59.1", "3.11.2", "node a")), HEAD)

    assert reported.fix == "install the cluster's here: pip install 'ray[client]==2.59.1'"


def test_a_cluster_that_does_not_let_us_in_is_a_matter_of_the_token() -> None:
    reported = refusal_of(RuntimeError("Authentication token is missing"), HEAD)

    assert isinstance(reported, UsageError)
    assert "RAY_AUTH_TOKEN" in reported.fix


def test_what_is_not_known_is_told_as_ray_says_it_in_one_line() -> None:
    reported = refusal_of(ValueError("one\n  two" + "x" * 1000), HEAD)

    assert isinstance(reported, ExecutorError)
    assert "ValueError: one two" in reported.what
    assert len(reported.what) < 600


def test_a_cluster_of_our_own_that_does_not_start_has_no_address() -> None:
    reported = refusal_of(RuntimeError("timed out"), Address())

    assert reported.what.startswith("no Ray cluster could be started on this machine")
