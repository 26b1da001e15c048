"""The shapes of a plan that have names in them: sections with known keys, lists of them, args.

How a single value is read is in ``shapes.py``; which keys a section has, in the other modules here.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from alo.errors import SHOWN_PROBLEMS
from alo.named_tuples import NamedTuple
from alo.plan.keys.shapes import Schema, Shape
from alo.plan.suggest import did_you_mean, listed, quoted
from alo.plan.yaml_nodes.reader import NodeReader, Pair, below, found, is_blank, place_of
from alo.plan.yaml_nodes.tree import TEXT, MappingNode, Node, SequenceNode

T = TypeVar("T")


class Key(NamedTuple):
    """One key of a section."""

    name: str
    shape: Shape[Any]
    doc: str
    required: bool = False


class Args(Shape[dict[str, object]]):
    """Names with values of any kind: one mapping, or a list of mappings that is merged in order."""

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> dict[str, object]:
        """The args by name."""
        return {
            name: reader.value(pair.value, f"{key}.{name}")
            for name, pair in entries(node, key, reader)
        }

    def schema(self) -> Schema:
        """A mapping, or a list of mappings."""
        return {"type": ["object", "array", "null"], "items": {"type": ["object", "null"]}}


class Section(Shape[T]):
    """A mapping with known keys, or, where ``both_forms``, also a list of one-key mappings.

    ``build`` makes the section's type from the values that the plan gives, by name; where
    ``located``, it is also given the section's own key path as ``at``.
    """

    def __init__(
        self,
        build: Callable[..., T],
        *keys: Key,
        legacy: Mapping[str, str] | None = None,
        both_forms: bool = True,
        located: bool = False,
    ) -> None:
        self.build = build
        self.keys = {key.name: key for key in keys}
        self.legacy = legacy or {}  # name -> what replaced it
        self.both_forms = both_forms
        self.located = located

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> T | None:
        """What ``build`` makes of the keys; None if one is missing that is required."""
        if isinstance(node, SequenceNode) and not self.both_forms:
            reader.misfit(key, f"expected a mapping with {listed(self.keys)}, found a list")
            return None
        values: dict[str, object] = {"at": key} if self.located else {}
        for name, pair in entries(node, key, reader):
            value = self._read_entry(name, pair, below(key, name), reader)
            if value is not None:
                values[name] = value
        missing = [
            name for name, known in self.keys.items() if known.required and name not in values
        ]
        for name in missing:
            self._report_missing(name, key, reader)
        return None if missing else self.build(**values)

    def _read_entry(self, name: str, pair: Pair, key: str, reader: NodeReader) -> object:
        known = self.keys.get(name)
        if known:
            return known.shape.read(pair.value, key, reader)
        if name in self.legacy:
            reader.warn(key, f"a key of older ALO versions, ignored: {self.legacy[name]}", pair.key)
        else:
            # Past the problems that are shown, suggestions would only cost time.
            many = len(reader.problems) > 4 * SHOWN_PROBLEMS
            hint = "" if many else f"; {did_you_mean(name, self.keys)}"
            reader.complain(key, f"unknown key {quoted(name)}{hint}", pair.key)
        return None

    def _report_missing(self, name: str, key: str, reader: NodeReader) -> None:
        at = below(key, name)
        if at not in reader.places:
            reader.misfit(key, f"'{name}' is missing: {self.keys[name].doc}")
        elif is_blank(reader.places[at]):
            reader.misfit(at, f"'{name}' is empty: {self.keys[name].doc}")

    def schema(self) -> Schema:
        """One schema for both forms: what editors say is then about the key, not the form."""
        keys = self._keys_schema()
        required = [name for name, key in self.keys.items() if key.required]
        if not self.both_forms:
            return {"type": "object", **keys, **({"required": required} if required else {})}
        return {
            "type": ["object", "array", "null"],
            **keys,
            "items": {"type": ["object", "null"], **keys},
        }

    def _keys_schema(self) -> Schema:
        defaults = getattr(self.build, "_field_defaults", {})
        known = {
            name: {"description": key.doc, **key.shape.schema(), **_default_of(defaults.get(name))}
            for name, key in self.keys.items()
        }
        legacy = {
            name: {"description": f"Ignored: {instead}", "deprecated": True}
            for name, instead in self.legacy.items()
        }
        return {"properties": {**known, **legacy}, "additionalProperties": False}


class ListOf(Shape[tuple[T, ...]]):
    """A list of sections."""

    def __init__(self, item: Section[T], what: str) -> None:
        self.item, self.what = item, what

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> tuple[T, ...] | None:
        """The sections, bad ones left out."""
        if not isinstance(node, SequenceNode):
            first = next(iter(self.item.keys))
            reader.misfit(key, f"expected {self.what} ('- {first}: ...'), found {found(node)}")
            return None
        items = (self._read_item(item, f"{key}[{n}]", reader) for n, item in enumerate(node.value))
        return tuple(item for item in items if item is not None)

    def _read_item(self, node: Node, key: str, reader: NodeReader) -> T | None:
        if is_blank(node):
            reader.places[key] = node
            reader.misfit(key, f"expected a mapping with {listed(self.item.keys)}, found nothing")
            return None
        return self.item.read(node, key, reader)

    def schema(self) -> Schema:
        """A list of what the section may be."""
        return {"type": ["array", "null"], "items": self.item.schema()}


def entries(node: Node, key: str, reader: NodeReader) -> Iterator[tuple[str, Pair]]:
    """The named entries of a mapping, or of a list of mappings taken together."""
    if not isinstance(node, SequenceNode):
        yield from _mapping_entries(node, key, reader)
        return
    lines: dict[str, int] = {}
    for item in node.value:
        if is_blank(item) or not reader.is_allowed(item, key):
            continue
        for name, pair in _mapping_entries(item, key, reader):
            if name in lines and not reader.takes_again(below(key, name), lines[name], pair.key):
                continue
            lines[name], _ = place_of(pair.key)
            yield name, pair


def _mapping_entries(node: Node, key: str, reader: NodeReader) -> Iterator[tuple[str, Pair]]:
    if isinstance(node, MappingNode):
        yield from reader.names(node, key).items()
        return
    hint = ": is a ':' missing?" if node.tag == TEXT else ""
    reader.misfit(key, f"expected 'name: value', found {found(node)}{hint}", node)


def _default_of(value: object) -> Schema:
    return {"default": value} if isinstance(value, (bool, int, float, str)) and value != "" else {}
