"""Which cluster is meant, by the option and Ray's own variable."""

from __future__ import annotations

import pytest

from alo.errors import UsageError
from alo.executors.ray.address import Address, address_of, is_ray


@pytest.mark.parametrize(
    ("name", "variable", "text"),
    [
        ("ray://head:10002", "", "ray://head:10002"),
        ("ray://head", "", "ray://head:10001"),
        ("ray://[::1]:7", "", "ray://[::1]:7"),
        ("ray", "head:6379", "head:6379"),
        ("ray", "ray://head:10002", "ray://head:10002"),
        ("ray://head", "other:6379", "ray://head:10001"),
    ],
)
def test_an_address_is_read_from_the_option_or_else_the_variable(
    name: str, variable: str, text: str
) -> None:
    found = address_of(name, {"RAY_ADDRESS": variable})

    assert not found.is_own
    assert found.text == text
    assert found.is_client == text.startswith("ray://")


@pytest.mark.parametrize("variable", ["", " ", "local"])
def test_without_an_address_the_cluster_is_one_of_our_own(variable: str) -> None:
    assert address_of("ray", {"RAY_ADDRESS": variable}) == Address()
    assert address_of("ray", {}).is_own


@pytest.mark.parametrize("said", ["ray://", "ray://:7", "ray://head:port", "ray://head:70000"])
def test_what_is_no_address_is_told_with_the_form_of_one(said: str) -> None:
    with pytest.raises(UsageError) as caught:
        address_of(said, {})

    assert said in caught.value.what
    assert "ray://HOST:PORT" in caught.value.fix


def test_an_address_of_the_variable_that_is_none_names_the_variable() -> None:
    with pytest.raises(UsageError, match="RAY_ADDRESS=head"):
        address_of("ray", {"RAY_ADDRESS": "head"})


def test_names_of_ray_are_told_from_those_of_other_executors() -> None:
    assert [is_ray(name) for name in ("ray", "ray://a", "rays", "local", "ray:Class")] == [
        True,
        True,
        False,
        False,
        False,
    ]
