"""Our NamedTuple: to whoever uses one it is that of ``typing``."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import typing
from typing import Any

import pytest

from alo.named_tuples import NamedTuple


class Ours(NamedTuple):
    """A tuple of ours."""

    name: str
    size: int = 3

    @property
    def label(self) -> str:
        return f"{self.name}:{self.size}"


class Theirs(typing.NamedTuple):
    """The same with typing's."""

    name: str
    size: int = 3

    @property
    def label(self) -> str:
        return f"{self.name}:{self.size}"


class Empty(NamedTuple):
    """A tuple of no field."""


class Derived(Ours):
    """A class that does not define a field."""


@pytest.mark.parametrize(
    "look",
    [
        lambda kind: tuple(kind("a")),
        lambda kind: tuple(kind(size=1, name="a")),
        lambda kind: kind("a").label,
        lambda kind: (kind("a").name, kind("a")[1]),
        lambda kind: kind("a")._replace(size=5)._asdict(),
        lambda kind: tuple(kind._make(iter(["a", 4]))),
        lambda kind: (kind._fields, kind._field_defaults, kind.__match_args__),
        lambda kind: kind.__annotations__.keys(),
        lambda kind: kind.__bases__,
        lambda kind: repr(kind("a")).partition("(")[2],
        lambda kind: (kind("a") == ("a", 3), hash(kind("a")), kind("a") < kind("b")),
        lambda kind: tuple(copy.deepcopy(kind("a"))),
        lambda kind: hasattr(kind("a"), "__dict__"),
    ],
)
def test_it_does_what_that_of_typing_does(look: Any) -> None:
    assert look(Ours) == look(Theirs)


@pytest.mark.parametrize(
    "call",
    [
        lambda kind: kind(),
        lambda kind: kind("a", 1, 2),
        lambda kind: kind("a", other=2),
        lambda kind: kind._make(["a"]),
        lambda kind: kind._make(["a", 1, 2]),
    ],
)
def test_it_refuses_what_that_of_typing_refuses(call: Any) -> None:
    for kind in (Ours, Theirs):
        with pytest.raises(TypeError):
            call(kind)


def test_a_message_names_the_class() -> None:
    with pytest.raises(TypeError, match=r"^Ours.__new__\(\) missing 1 required"):
        Ours()  # type: ignore[call-arg]


def test_an_unknown_field_is_not_replaced() -> None:
    with pytest.raises(TypeError, match="other"):
        Ours("a")._replace(other=1)  # type: ignore[call-arg]


@pytest.mark.parametrize("value", [Ours("a", 2), Empty(), Derived("a", 2)])
def test_it_survives_a_pickle(value: Any) -> None:
    again = pickle.loads(pickle.dumps(value))  # noqa: S301 - our own

    assert (again, type(again)) == (value, type(value))


def test_it_matches_by_place() -> None:
    match Ours("a", 2):
        case Ours(name, size):
            assert (name, size) == ("a", 2)


def test_importing_the_run_defines_no_named_tuple_of_typing() -> None:
    code = """if True:
        import typing
        import alolib.messages  # alolib knows nothing of alo
        typing.NamedTuple = None  # whoever names it as a base now fails
        import alo.cli.commands.run, alo.engine.run, alo.engine.steps.step
    """

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
