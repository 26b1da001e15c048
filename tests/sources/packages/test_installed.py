from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement as Parsed

from alo.sources.packages.installed import conflicts, missing
from alo.sources.packages.requirements import Requirement, normal_name

from ..wheels import install_by_hand, make_wheel

Lacks = Callable[..., list[str]]


def requirement(text: str, step: str = "train") -> Requirement:
    is_local = text.startswith(("/", "-e"))
    name = "" if is_local else normal_name(Parsed(text).name)
    return Requirement(text, name, step, f"step '{step}'")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """With top-2.0, which requires base>=1 and, for its extra, more; base-1.5 is there."""
    folder = tmp_path / "site-packages"
    wheels = tmp_path / "wheels"
    requires = ("base>=1", "other; python_version < '3'", "more>=2; extra == 'big'")
    install_by_hand(make_wheel(wheels, "top", "2.0", requires=requires), folder)
    install_by_hand(make_wheel(wheels, "base", "1.5", requires=("top",)), folder)
    return folder


@pytest.fixture
def lacks(site: Path) -> Lacks:
    def call(*texts: str) -> list[str]:
        found = missing([requirement(text) for text in texts], ["/elsewhere", str(site)])
        return [f"{each.requirement.text}: {each.why}" for each in found]

    return call


def test_what_is_there_in_a_version_that_fits_is_satisfied(lacks: Lacks) -> None:
    assert lacks("top", "Top>=2", "top==2.*", "base<2", "gone; python_version < '3'") == []


def test_what_is_not_there_or_does_not_fit_is_reported(lacks: Lacks) -> None:
    assert lacks("top>2", "gone", "base==1.4") == [
        "top>2: 2.0 is installed",
        "gone: not installed",
        "base==1.4: 1.5 is installed",
    ]


def test_what_a_package_requires_in_turn_counts(lacks: Lacks, site: Path, tmp_path: Path) -> None:
    assert lacks("top[big]") == ["top[big]: it requires more>=2: not installed"]
    install_by_hand(make_wheel(tmp_path / "w", "more", "1.0"), site)
    assert lacks("top[big]") == ["top[big]: it requires more>=2: 1.0 is installed"]
    assert lacks("top") == []


def test_a_path_is_satisfied_by_what_was_installed_from_it(lacks: Lacks, site: Path) -> None:
    assert lacks("-e /src/top") == ["-e /src/top: not installed from there"]

    (site / "top-2.0.dist-info/direct_url.json").write_text(json.dumps({"url": "file:///src/top"}))

    assert lacks("-e /src/top", "/src/top") == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a==1", "a==2"),
        ("a<1", "a>=2"),
        ("a==1.*", "a>=2"),
        ("a~=1.4", "a<1.4"),
        ("a>1,<2", "a==3"),
    ],
)
def test_what_no_version_can_satisfy_is_a_conflict(one: str, other: str) -> None:
    first, second = requirement(one, "x"), requirement(other, "y")

    assert list(conflicts([first, requirement("b"), second])) == [(first, second)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a==1", "a>=1"),
        ("a>1", "a<1.0.1"),
        ("a~=1.4.2", "a!=1.4.2"),
        ("a>=1,<2", "a>1.9.9"),
        ("a==1.*", "a<1.1"),
        ("a", "a==1"),
        ("a===odd", "a===odd"),
        ("a==1; python_version < '3'", "a==2"),
    ],
)
def test_what_some_version_satisfies_is_none(one: str, other: str) -> None:
    assert list(conflicts([requirement(one, "x"), requirement(other, "y")])) == []
