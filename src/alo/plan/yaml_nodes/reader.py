"""YAML nodes to plain values.

Here: what is true of any YAML file that comes from outside - tags, aliases, duplicate keys. Not
here: syntax (``parser.py``), what the keys of a plan mean (``plan/keys``). Nothing can run code.
"""

from collections.abc import Callable, Hashable, Iterator
from typing import TypeVar

from alo.errors import Problem
from alo.json_text import MOST_LEVELS, bad_character
from alo.named_tuples import NamedTuple
from alo.plan.suggest import quoted
from alo.plan.yaml_nodes.tree import (
    MERGE,
    NULL,
    TAG,
    TEXT,
    UNREAD,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    YamlError,
)

MAX_VALUES = 200_000  # after aliases are unfolded

LISTS_OF_PAIRS = (f"{TAG}omap", f"{TAG}pairs")
# What stands for itself: the two marks of YAML 1.1 that mean something only as a key.
AS_TEXT = (TEXT, MERGE, f"{TAG}value")
ALLOWED_TAGS: dict[type[Node], frozenset[str]] = {
    ScalarNode: frozenset(
        [*AS_TEXT, NULL, *(TAG + name for name in ("bool", "int", "float", "binary", "timestamp"))]
    ),
    SequenceNode: frozenset([f"{TAG}seq", *LISTS_OF_PAIRS]),
    MappingNode: frozenset([f"{TAG}map", f"{TAG}set"]),
}
KINDS = {
    f"{TAG}int": "number",
    f"{TAG}float": "number",
    f"{TAG}bool": "boolean",
    f"{TAG}timestamp": "date",
}
K = TypeVar("K", bound=Hashable)


class Pair(NamedTuple):
    """One entry of a mapping."""

    key: Node
    value: Node


def read_value(text: bytes) -> object:
    """The value of a YAML text, as YAML 1.1 safe loading gives it.

    Raises:
        YamlError: the first thing that is wrong with it.
    """
    from alo.plan.yaml_nodes.parser import compose

    root = compose(text)
    reader = NodeReader()
    value = None if root is None else reader.value(root, "")
    for problem in reader.problems:
        raise YamlError(problem.what, problem.line, problem.column, problem.key)
    return value


class NodeReader:
    """Walks nodes and collects what is wrong with them.

    ``places`` has the node that stands for a key such as ``control.backup_size``, so that a rule
    across several keys can still name line and column.

    Args:
        is_lenient: whether a key is of a section in which a value that does not fit is only odd.
    """

    def __init__(
        self, file: str = "", is_lenient: Callable[[str], object] = lambda key: False
    ) -> None:
        self.file, self._is_lenient = file, is_lenient
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.places: dict[str, Node] = {}
        self._values = 0

    def complain(self, key: str, what: str, node: Node | None = None) -> None:
        """Note a problem: the plan is refused. ``node`` is its place, unless that is the key's."""
        self.problems.append(self._problem(key, what, node))

    def misfit(self, key: str, what: str, node: Node | None = None) -> None:
        """Report a value that is not what the key takes, and is left out."""
        report = self.warn if self._is_lenient(key) else self.complain
        report(key, what, node)

    def takes_again(self, key: str, first_line: int, node: Node) -> bool:
        """Report a key that is here twice; True: the later one counts, and it is only odd."""
        what = f"the key is here twice (first on line {first_line}): keep one"
        if self._is_lenient(key):
            self.warn(key, f"{what}; this one counts", node)
            return True
        self.complain(key, what, node)
        return False

    def warn(self, key: str, what: str, node: Node | None = None) -> None:
        """Note a warning: the plan is accepted."""
        self.warnings.append(self._problem(key, what, node))

    def line(self, key: str) -> int:
        """The line of a key that has been read, from 1."""
        return place_of(self.places[key])[0]

    def nearest_place(self, key: str) -> str:
        """The key, or the nearest one above it that is in the file."""
        while key not in self.places:
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        return key

    def _problem(self, key: str, what: str, node: Node | None) -> Problem:
        line, column = place_of(node or self.places[key])
        return Problem(what, self.file, line, column, key)

    def is_allowed(self, node: Node, key: str) -> bool:
        """Whether a node has a tag of plain YAML; complains if not."""
        if node.tag in ALLOWED_TAGS[type(node)]:
            return True
        tag = node.tag.replace(TAG, "!!")
        self.complain(key, f"the tag {quoted(tag)[1:-1]} is not allowed: write a plain value", node)
        return False

    def value(self, node: Node, key: str, depth: int = 0) -> object:
        """What YAML 1.1 safe loading gives; None, and a complaint, for what it would refuse."""
        self._spend(node, key, depth)
        if not self.is_allowed(node, key):
            return None
        if isinstance(node, ScalarNode):
            return self._scalar(node, key)
        if isinstance(node, MappingNode):
            pairs = self._pairs(node, key, self._hashable, depth)
            if node.tag == f"{TAG}set":
                return set(pairs)
            return {
                name: self.value(pair.value, below(key, str(name)), depth + 1)
                for name, pair in pairs.items()
            }
        items = [self.value(item, f"{key}[{n}]", depth + 1) for n, item in enumerate(node.value)]
        return self._tuples(items, node, key) if node.tag in LISTS_OF_PAIRS else items

    def names(self, node: MappingNode, key: str) -> dict[str, Pair]:
        """The entries of a mapping whose keys are names: text as written, ``on`` is no boolean."""
        return self._pairs(node, key, self._name, 0)

    def _spend(self, node: Node, key: str, depth: int) -> None:
        """Bound the work that a small file can ask for with aliases."""
        self._values += 1
        if depth > MOST_LEVELS:
            what = f"nested deeper than {MOST_LEVELS} levels, or an alias that holds itself"
            raise YamlError(what, *place_of(node))
        if self._values > MAX_VALUES:
            what = f"more than {MAX_VALUES:,} values once its aliases (*name) are unfolded"
            raise YamlError(what, *place_of(node))

    def _scalar(self, node: ScalarNode, key: str) -> object:
        if node.tag in AS_TEXT:
            return node.value
        if node.plain is not UNREAD:
            return node.plain
        from alo.plan.yaml_nodes.parser import plain_value

        try:
            return plain_value(node)
        except ValueError:
            what = f"{quoted(node.value)} looks like a {_kind(node)} and is none"
            self.complain(key, f"{what}: put it in quotes if it is text", node)
            return None

    def _tuples(self, items: list[object], node: Node, key: str) -> list[tuple[object, object]]:
        single = [item for item in items if isinstance(item, dict) and len(item) == 1]
        if len(single) < len(items):
            what = f"a {node.tag.replace(TAG, '!!')} is a list of one-key mappings"
            self.complain(key, what, node)
        return [pair for item in single for pair in item.items()]

    def _pairs(
        self, node: MappingNode, key: str, names: Callable[[Node, str], Iterator[K]], depth: int
    ) -> dict[K, Pair]:
        merged: dict[K, Pair] = {}
        own: dict[K, Pair] = {}
        for pair in map(Pair._make, node.value):
            self._spend(pair.key, key, depth)
            if pair.key.tag == MERGE:
                for source in self._merge_sources(pair.value, key):
                    merged = self._pairs(source, key, names, depth + 1) | merged
                continue
            for name in names(pair.key, key):
                first, _ = place_of(own[name].key) if name in own else (0, 0)
                if not first or self.takes_again(below(key, str(name)), first, pair.key):
                    own[name] = pair
        return merged | own

    def _merge_sources(self, node: Node, key: str) -> Iterator[MappingNode]:
        for source in node.value if isinstance(node, SequenceNode) else [node]:
            if isinstance(source, MappingNode):
                yield source
            else:
                self.complain(
                    f"{key}.<<", f"expected a mapping to merge, found {found(source)}", source
                )

    def _hashable(self, node: Node, key: str) -> Iterator[Hashable]:
        """The key of a value, if it can be one: also None, where ``null`` is written out."""
        known = len(self.problems)
        if not isinstance(node, ScalarNode):
            self.complain(key, f"a key has to be a plain value, found {found(node)}", node)
        elif node.tag == NULL and not node.value:
            self.complain(key, "a key is missing before the ':'", node)
        else:
            value = self.value(node, key)
            if len(self.problems) == known and isinstance(value, Hashable):
                yield value

    def _name(self, node: Node, key: str) -> Iterator[str]:
        """The name that a key is, if it can be one."""
        if not isinstance(node, ScalarNode) or not node.value.strip():
            self.complain(key, f"expected a name before the ':', found {found(node)}", node)
        elif wrong := bad_character(node.value):
            self.complain(key, f"{quoted(node.value)}: {wrong}", node)
        else:
            yield str(node.value)


def below(key: str, name: str) -> str:
    """The path of a key in the mapping at ``key``."""
    return f"{key}.{name}" if key else name


def is_blank(node: Node) -> bool:
    """Nothing after the colon, ``null``, or an empty text."""
    return isinstance(node, ScalarNode) and (
        node.tag == NULL or (node.tag == TEXT and not node.value.strip())
    )


def found(node: Node) -> str:
    """What a node holds, for messages."""
    if isinstance(node, SequenceNode):
        return "a list"
    if isinstance(node, MappingNode):
        return "a mapping"
    if is_blank(node):
        return "nothing"
    return f"the {_kind(node)} {quoted(node.value)}"


def _kind(node: Node) -> str:
    return "text" if node.tag in AS_TEXT else KINDS.get(node.tag, node.tag.removeprefix(TAG))


def place_of(node: Node) -> tuple[int, int]:
    """Line and column, both from 1."""
    return node.line, node.column
