"""The kinds of values a plan's keys can have: each reads a node, and says itself as JSON Schema.

Reading and schema come from one object, so that they cannot drift apart. Which key has which shape
is in ``keys.py``. A shape that meets a blank or a bad value gives None, so that the default holds;
what is wrong has then been told to the reader.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from alo.errors import SHOWN_PROBLEMS
from alo.plan.nodes import TAG, TEXT, NodeReader, Pair, below, found, is_blank, place_of
from alo.plan.suggest import did_you_mean, listed, nearest, quoted

T = TypeVar("T")
Schema: TypeAlias = dict[str, Any]
Rule: TypeAlias = Callable[[str], str]  # what is wrong with a text; empty: nothing

LARGEST = 1e15  # a number in a plan beyond this is a slip, and would overflow later
WRITTEN_AS_TEXT = frozenset(TAG + kind for kind in ("str", "int", "float", "timestamp"))


class Shape(ABC, Generic[T]):
    """What one key's value may be."""

    def read(self, node: Node, key: str, reader: NodeReader) -> T | None:
        reader.places[key] = node
        if is_blank(node) or not reader.is_allowed(node, key):
            return None
        return self.read_filled(node, key, reader)

    @abstractmethod
    def read_filled(self, node: Node, key: str, reader: NodeReader) -> T | None: ...

    @abstractmethod
    def schema(self) -> Schema: ...


class Key(NamedTuple):
    """One key of a section."""

    name: str
    shape: Shape[Any]
    doc: str
    required: bool = False


class Text(Shape[str]):
    """A text; numbers and dates count as what is written."""

    def __init__(
        self,
        rule: Rule | None = None,
        *,
        lines: bool = False,
        pattern: str = "",
        what: str = "text",
    ) -> None:
        self.rule, self.lines, self.pattern, self.what = rule, lines, pattern, what

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> str | None:
        if not isinstance(node, ScalarNode) or node.tag not in WRITTEN_AS_TEXT:
            hint = ": put it in quotes if it is text" if isinstance(node, ScalarNode) else ""
            reader.misfit(key, f"expected {self.what}, found {found(node)}{hint}")
            return None
        text: str = node.value.strip()
        if odd := odd_characters(text, lines=self.lines):
            reader.complain(key, f"{quoted(text)}: {odd}")
        elif wrong := self.rule(text) if self.rule else "":
            reader.misfit(key, f"{quoted(text)}: {wrong}")
        # Also a wrong name is given back, or it would be told to be missing elsewhere.
        return text

    def schema(self) -> Schema:
        return {"type": ["string", "number", "null"]} | (
            {"pattern": f"^\\s*$|{self.pattern}"} if self.pattern else {}
        )


class Texts(Shape[tuple[str, ...]]):
    """A list of texts, or one of them without a list."""

    def __init__(self, item: Text) -> None:
        self.item = item

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> tuple[str, ...] | None:
        if not isinstance(node, SequenceNode):
            one = self.item.read_filled(node, key, reader)
            return None if one is None else (one,)
        # Blank ones do not count: a text has the number in its key that it has among the texts.
        filled = [item for item in node.value if not is_blank(item)]
        items = (self.item.read(item, f"{key}[{n}]", reader) for n, item in enumerate(filled))
        return tuple(item for item in items if item is not None)

    def schema(self) -> Schema:
        one = self.item.schema()
        return one | {"type": [*one["type"], "array"], "items": one}


class Choice(Shape[str]):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> str | None:
        if isinstance(node, ScalarNode) and node.value.strip() in self.words:
            return str(node.value.strip())
        near = nearest(node.value, self.words) if isinstance(node, ScalarNode) else ""
        hint = f"; did you mean '{near}'?" if near else ""
        words = self.words[0] if len(self.words) == 1 else f"one of {', '.join(self.words)}"
        reader.misfit(key, f"expected {words}, found {found(node)}{hint}")
        return None

    def schema(self) -> Schema:
        return {"enum": [*self.words, None]}


class Flag(Shape[bool]):
    """A YAML 1.1 boolean: true, yes or on; false, no or off."""

    words = ("true", "false", "yes", "no", "on", "off")

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> bool | None:
        if node.tag == f"{TAG}bool":
            value = reader.value(node, key)
            return value if isinstance(value, bool) else None
        is_quoted = node.tag == TEXT and node.value.strip().lower() in self.words
        hint = ": write it without quotes" if is_quoted else ""
        reader.misfit(key, f"expected True or False, found {found(node)}{hint}")
        return None

    def schema(self) -> Schema:
        # Editors read YAML 1.2, in which yes, no, on and off are texts.
        forms = [form for word in self.words[2:] for form in (word, word.title(), word.upper())]
        return {"enum": [True, False, *forms, None]}


class Number(Shape[float]):
    """A finite number, whole or not, with a lower bound."""

    def __init__(
        self, *, minimum: float | None = None, above: float | None = None, whole: bool = False
    ) -> None:
        self.minimum, self.above, self.whole = minimum, above, whole

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> float | None:
        if not isinstance(node, ScalarNode) or node.tag not in (f"{TAG}int", f"{TAG}float"):
            what = f"expected {self._what()}, found {found(node)}"
            reader.misfit(key, what + _number_hint(node))
            return None
        value = reader.value(node, key)
        if not isinstance(value, (int, float)):  # the reader has said why
            return None
        if not self._fits(value):
            reader.misfit(key, f"expected {self._what()}, found {found(node)}")
            return None
        return value

    def _fits(self, value: float) -> bool:
        return (
            -LARGEST < value < LARGEST  # which NaN is not either
            and (isinstance(value, int) or not self.whole)
            and (self.minimum is None or value >= self.minimum)
            and (self.above is None or value > self.above)
        )

    def _what(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        if self.above is not None:
            return f"{kind} above {self.above:g}"
        return kind if self.minimum is None else f"{kind} of at least {self.minimum:g}"

    def schema(self) -> Schema:
        bounds = {"minimum": self.minimum, "exclusiveMinimum": self.above}
        return {"type": ["integer" if self.whole else "number", "null"]} | {
            name: bound for name, bound in bounds.items() if bound is not None
        }


class Range(Shape[tuple[float, float]]):
    """Two numbers, the smaller first."""

    number = Number()

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> tuple[float, float] | None:
        items = node.value if isinstance(node, SequenceNode) else []
        if len(items) != 2 or any(map(is_blank, items)):
            reader.misfit(key, f"expected two numbers like [1, 100], found {found(node)}")
            return None
        low, high = (self.number.read(item, f"{key}[{n}]", reader) for n, item in enumerate(items))
        if low is None or high is None:  # the reader has said why
            return None
        if low > high:
            reader.misfit(key, f"the smaller number comes first: [{high}, {low}]")
            return None
        return low, high

    def schema(self) -> Schema:
        number = {"type": "number"}
        return {"type": ["array", "null"], "items": number, "minItems": 2, "maxItems": 2}


class Anything(Shape[object]):
    """Any value of plain YAML."""

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> object:
        return reader.value(node, key)

    def schema(self) -> Schema:
        return {}


class Values(Shape[tuple[object, ...]]):
    """A list of any values."""

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> tuple[object, ...] | None:
        if not isinstance(node, SequenceNode):
            reader.misfit(key, f"expected a list like [a, b], found {found(node)}")
            return None
        return tuple(reader.value(item, f"{key}[{n}]") for n, item in enumerate(node.value))

    def schema(self) -> Schema:
        return {"type": ["array", "null"]}


class Args(Shape[dict[str, object]]):
    """Names with values of any kind: one mapping, or a list of mappings that is merged in order."""

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> dict[str, object]:
        return {
            name: reader.value(pair.value, f"{key}.{name}")
            for name, pair in entries(node, key, reader)
        }

    def schema(self) -> Schema:
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
            self._tell_missing(name, key, reader)
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

    def _tell_missing(self, name: str, key: str, reader: NodeReader) -> None:
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


def odd_characters(text: str, *, lines: bool = False) -> str:
    """What does not belong into a text of one line, or of several; empty: there is nothing."""
    if text.isprintable():
        return ""
    from unicodedata import category

    allowed = "\n\t" if lines else "\t"
    odd = next(
        (c for c in text if category(c) in ("Cc", "Cs", "Zl", "Zp") and c not in allowed), ""
    )
    if odd == "\n":
        return "expected one line"
    return f"the character U+{ord(odd):04X} is not allowed" if odd else ""


def _number_hint(node: Node) -> str:
    """How to write a number that YAML 1.1 reads as text, such as ``1e3`` or ``'5'``."""
    try:
        number = float(node.value)
    except (TypeError, ValueError):
        return ""
    return f": write {int(number) if number.is_integer() else number}" if isfinite(number) else ""


def _default_of(value: object) -> Schema:
    return {"default": value} if isinstance(value, (bool, int, float, str)) and value != "" else {}
