"""The kinds of values a plan's keys can have: each reads a node, and says itself as JSON Schema.

Reading and schema come from one object, so that they cannot drift apart. Which key has which shape
is in ``plan.py``. A shape that meets a blank or a bad value gives None, so that the default holds;
what is wrong has then been reported to the reader.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from math import isfinite
from typing import Any, Generic, TypeAlias, TypeVar

from alo.plan.suggest import nearest, quoted
from alo.plan.yaml_nodes.reader import NodeReader, found, is_blank
from alo.plan.yaml_nodes.tree import TAG, TEXT, Node, ScalarNode, SequenceNode

T = TypeVar("T")
Schema: TypeAlias = dict[str, Any]
Rule: TypeAlias = Callable[[str], str]  # what is wrong with a text; empty: nothing

LARGEST = 1e15  # a number in a plan beyond this is a slip, and would overflow later
WRITTEN_AS_TEXT = frozenset(TAG + kind for kind in ("str", "int", "float", "timestamp"))


class Shape(ABC, Generic[T]):
    """What one key's value may be."""

    def read(self, node: Node, key: str, reader: NodeReader) -> T | None:
        """The value of a node; None if it is blank, or is not what the key takes."""
        reader.places[key] = node
        if is_blank(node) or not reader.is_allowed(node, key):
            return None
        return self.read_filled(node, key, reader)

    @abstractmethod
    def read_filled(self, node: Node, key: str, reader: NodeReader) -> T | None:
        """The value of a node that is not blank; reports to the reader what is wrong with it."""

    @abstractmethod
    def schema(self) -> Schema:
        """What the value may be, as JSON Schema."""


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
        """The text without blanks around it; also a wrong one."""
        if not isinstance(node, ScalarNode) or node.tag not in WRITTEN_AS_TEXT:
            hint = ": put it in quotes if it is text" if isinstance(node, ScalarNode) else ""
            reader.misfit(key, f"expected {self.what}, found {found(node)}{hint}")
            return None
        text: str = node.value.strip()
        if odd := odd_characters(text, lines=self.lines):
            reader.complain(key, f"{quoted(text)}: {odd}")
        elif wrong := self.rule(text) if self.rule else "":
            reader.misfit(key, f"{quoted(text)}: {wrong}")
        # Also a wrong name is given back, or it would be reported as missing in another place.
        return text

    def schema(self) -> Schema:
        """A text that fits the pattern, or a number, which is read as text."""
        return {"type": ["string", "number", "null"]} | (
            {"pattern": f"^\\s*$|{self.pattern}"} if self.pattern else {}
        )


class Texts(Shape[tuple[str, ...]]):
    """A list of texts, or one of them without a list."""

    def __init__(self, item: Text) -> None:
        self.item = item

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> tuple[str, ...] | None:
        """The texts, blank ones left out."""
        if not isinstance(node, SequenceNode):
            one = self.item.read_filled(node, key, reader)
            return None if one is None else (one,)
        # Blank ones do not count: a text has the number in its key that it has among the texts.
        filled = [item for item in node.value if not is_blank(item)]
        items = (self.item.read(item, f"{key}[{n}]", reader) for n, item in enumerate(filled))
        return tuple(item for item in items if item is not None)

    def schema(self) -> Schema:
        """One text, or a list of them."""
        one = self.item.schema()
        return one | {"type": [*one["type"], "array"], "items": one}


class Choice(Shape[str]):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> str | None:
        """The word, if it is one of them; a near one is suggested otherwise."""
        if isinstance(node, ScalarNode) and node.value.strip() in self.words:
            return str(node.value.strip())
        near = nearest(node.value, self.words) if isinstance(node, ScalarNode) else ""
        hint = f"; did you mean '{near}'?" if near else ""
        words = self.words[0] if len(self.words) == 1 else f"one of {', '.join(self.words)}"
        reader.misfit(key, f"expected {words}, found {found(node)}{hint}")
        return None

    def schema(self) -> Schema:
        """One of the words."""
        return {"enum": [*self.words, None]}


class Flag(Shape[bool]):
    """A YAML 1.1 boolean: true, yes or on; false, no or off."""

    words = ("true", "false", "yes", "no", "on", "off")

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> bool | None:
        """True or False; a quoted one is reported."""
        if node.tag == f"{TAG}bool":
            value = reader.value(node, key)
            return value if isinstance(value, bool) else None
        is_quoted = node.tag == TEXT and node.value.strip().lower() in self.words
        hint = ": write it without quotes" if is_quoted else ""
        reader.misfit(key, f"expected True or False, found {found(node)}{hint}")
        return None

    def schema(self) -> Schema:
        """A boolean, or what YAML 1.1 takes for one."""
        # Editors read YAML 1.2, in which yes, no, on and off are texts.
        forms = [form for word in self.words[2:] for form in (word, word.title(), word.upper())]
        return {"enum": [True, False, *forms, None]}


class Number(Shape[float]):
    """A finite number, whole or not, with bounds."""

    def __init__(
        self,
        *,
        minimum: float | None = None,
        above: float | None = None,
        maximum: float | None = None,
        whole: bool = False,
    ) -> None:
        self.minimum, self.above, self.maximum, self.whole = minimum, above, maximum, whole

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> float | None:
        """The number, if it is within the bounds."""
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
            and (self.maximum is None or value <= self.maximum)
        )

    def _what(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        most = "" if self.maximum is None else f" and at most {self.maximum:,.10g}"
        if self.above is not None:
            return f"{kind} above {self.above:g}{most}"
        return kind if self.minimum is None else f"{kind} of at least {self.minimum:g}{most}"

    def schema(self) -> Schema:
        """A number within the bounds."""
        bounds = {
            "minimum": self.minimum,
            "exclusiveMinimum": self.above,
            "maximum": self.maximum,
        }
        return {"type": ["integer" if self.whole else "number", "null"]} | {
            name: bound for name, bound in bounds.items() if bound is not None
        }


class Range(Shape[tuple[float, float]]):
    """Two numbers, the smaller first."""

    number = Number()

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> tuple[float, float] | None:
        """The two numbers."""
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
        """A list of two numbers."""
        number = {"type": "number"}
        return {"type": ["array", "null"], "items": number, "minItems": 2, "maxItems": 2}


class Anything(Shape[object]):
    """Any value of plain YAML."""

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> object:
        """Whatever is there, as a plain value."""
        return reader.value(node, key)

    def schema(self) -> Schema:
        """No limits."""
        return {}


class Values(Shape[tuple[object, ...]]):
    """A list of any values."""

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> tuple[object, ...] | None:
        """The list, as plain values."""
        if not isinstance(node, SequenceNode):
            reader.misfit(key, f"expected a list like [a, b], found {found(node)}")
            return None
        return tuple(reader.value(item, f"{key}[{n}]") for n, item in enumerate(node.value))

    def schema(self) -> Schema:
        """A list of anything."""
        return {"type": ["array", "null"]}


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
