"""Values of a plan as YAML text: whatever a notebook or a platform has put into them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def dump(document: Mapping[str, object]) -> str:
    """The text of a document, its keys in the order they have."""
    text: str = yaml.dump(document, Dumper=PlanDumper, sort_keys=False, allow_unicode=True)
    return text


class PlanDumper(DUMPER):  # type: ignore[misc]
    """Writes every value out (no anchors), and takes what a notebook may have put into the args."""

    def ignore_aliases(self, data: object) -> bool:
        """Called by PyYAML for each value: none is replaced by a reference to an earlier one."""
        return True


def _pairs_or_list(dumper: Any, data: list[object]) -> Any:
    """A list of tuples is what ``!!pairs`` and ``!!omap`` are read as."""
    if data and all(isinstance(item, tuple) and len(item) == 2 for item in data):
        pairs = [{item[0]: item[1]} for item in data if isinstance(item, tuple)]
        return dumper.represent_sequence("tag:yaml.org,2002:pairs", pairs)
    return dumper.represent_list(data)


def _other(dumper: Any, data: object) -> Any:
    """NumPy numbers as numbers, what YAML has no word for as text: no run is lost over a value."""
    item = getattr(data, "item", None)
    plain = item() if callable(item) and getattr(data, "size", 0) == 1 else repr(data)
    return dumper.represent_data(plain)


def _text(dumper: Any, data: str) -> Any:
    """Half a character, which JSON can hand over and no file can hold, becomes a question mark."""
    return dumper.represent_str(data.encode("utf-8", "replace").decode())


PlanDumper.add_representer(list, _pairs_or_list)
PlanDumper.add_representer(str, _text)
PlanDumper.add_multi_representer(object, _other)
