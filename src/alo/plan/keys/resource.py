"""The keys of ``resources``: what a step asks for of the machine that runs it."""

import re

from alo.plan.keys.sections import Key, Section
from alo.plan.keys.shapes import Number, Schema, Shape
from alo.plan.model import Resources
from alo.plan.suggest import quoted
from alo.plan.yaml_nodes.reader import NodeReader, found
from alo.plan.yaml_nodes.tree import Node, ScalarNode

UNITS = {
    **{"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12},
    **{"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40},
}
SIZE = r"^\s*\d+(\.\d+)?\s*([kKmMgGtT][iI]?)?[bB]\s*$"
LEAST, MOST = 10**6, 10**15  # bytes


class Size(Shape[int]):
    """A number with a unit of memory, as bytes."""

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> int | None:
        """The bytes, if there is a unit."""
        text = node.value.strip() if isinstance(node, ScalarNode) else ""
        if not re.match(SIZE, text):
            hint = "" if not text.isdigit() else f": write {text}MB or {text}GB"
            reader.misfit(key, f"expected a size, such as 500MB or 4GB, found {found(node)}{hint}")
            return None
        number = re.match(r"[\d.]+", text)
        assert number is not None  # noqa: S101 - it has matched
        unit = text[number.end() :].strip().lower().removesuffix("b")
        size = int(float(number[0]) * UNITS[f"{unit}b" if unit else ""])
        if not LEAST <= size <= MOST:
            reader.misfit(key, f"{quoted(text)}: expected at least 1MB and at most 1000TB")
            return None
        return size

    def schema(self) -> Schema:
        """A text with a number and a unit."""
        return {"type": ["string", "null"], "pattern": rf"^\s*$|{SIZE}"}


RESOURCES = Section(
    Resources,
    Key(
        "cpu", Number(above=0), "cores: fewer runs of the step happen at once where there are few."
    ),
    Key("gpu", Number(minimum=0), "GPUs, for executors that have them to give."),
    Key("memory", Size(), "limit, such as 4GB: a step that uses more is ended."),
)
