"""A project whose steps share a module."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MakeSolution = Callable[..., Path]


KINDS = """\
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True)
class Part:
    kind: Kind

    def price(self):
        return 1
"""

GIVE = """\
from shop.kinds import Kind, Part
self.data["kinds"] = [Kind.GOOD, Kind.BAD, Kind.GOOD]
self.data["prices"] = {Kind.GOOD: 3, Kind.BAD: 1}
self.data["parts"] = [Part(Kind.GOOD)]
"""

TAKE = """\
from shop.kinds import Kind, Part
kinds, prices, parts = (self.data[key] for key in ("kinds", "prices", "parts"))
found = sum(kind is Kind.GOOD for kind in kinds), prices[Kind.GOOD], isinstance(parts[0], Part)
self.asset.save_summary(f"{found} {parts[0].price()}", 1)
Path(self.asset.get_output_path(), "a.csv").write_text(str(found))
"""


def write(home: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def shop(make_solution: MakeSolution) -> Callable[..., Path]:
    """A project whose steps ``give`` and ``take`` share ``shop/kinds.py``."""

    def make(**options: Any) -> Path:
        home = make_solution({"give": GIVE, "take": TAKE}, {"give": GIVE, "take": TAKE}, **options)
        write(home, {"shop/__init__.py": "", "shop/kinds.py": KINDS})
        return home

    return make
