"""YAML text to nodes that keep their line and column, and nodes to plain values.

Here: what is true of any YAML file that comes from outside - syntax, encoding, size, tags, aliases,
duplicate keys. Not here: what the keys of a plan mean (``keys.py``). Nothing here can run code.
"""

from collections.abc import Callable, Hashable, Iterator
from typing import Any, TypeVar

import yaml
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import Reader as YamlReader

from alo.errors import Problem
from alo.json_text import MOST_LEVELS, bad_character
from alo.named_tuples import NamedTuple
from alo.plan.suggest import quoted

MAX_BYTES = 1_000_000
MANY_BITS = 2000
MAX_VALUES = 200_000  # after aliases are unfolded

TAG = "tag:yaml.org,2002:"
TEXT, NULL, MERGE = f"{TAG}str", f"{TAG}null", f"{TAG}merge"
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
# What the safe constructor raises for a value that does not have the form of its type.
CANNOT_CONVERT = (
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    TypeError,
    yaml.YAMLError,
)

# libyaml is faster; it is missing where PyYAML was built without it.
FAST_LOADER: Any = getattr(yaml, "CSafeLoader", None)

HINTS = (
    ("found duplicate anchor", "give each anchor (&name) a name of its own"),
    ("undefined alias", "a value that starts with * is an alias: put it in quotes if it is text"),
    ("another document", "a file holds one document: remove the '---' and what follows it"),
    ("nesting depth", "it is nested too deeply"),
    (
        "mapping values are not allowed",
        "quote a value that holds ': ', or check the indentation",
    ),
    ("',' or ']'", "a '[' is not closed, or a ',' is missing"),
    ("',' or '}'", "a '{' is not closed, or a ',' is missing"),
    ("node content", "a '[' or '{' is not closed, or a value is missing in it"),
    ("expected ':'", "a line is 'key: value' or '- item': is a ':' missing?"),
    ("unexpected end of stream", "a quotation mark is not closed"),
    ("tag", "a value that starts with ! is a tag: put it in quotes if it is text"),
    ("alphabetic", "a value that starts with & or * is no text: put it in quotes if it is"),
    ("escape", "use single quotes: in double quotes a backslash starts an escape"),
)
INDENTATION = (
    "check the indentation: keys of one mapping, and items of one list, start at one column"
)

K = TypeVar("K", bound=Hashable)


class YamlError(Exception):
    """The text cannot be read at all; ``problem`` says where and why, without the file's name."""

    def __init__(self, what: str, line: int = 0, column: int = 0, key: str = "") -> None:
        super().__init__(what)
        self.problem = Problem(what, line=line, column=column, key=key)


class Pair(NamedTuple):
    """One entry of a mapping."""

    key: Node
    value: Node


def compose(text: bytes) -> Node | None:
    """The root node of the one document in ``text``; None if there is nothing in it.

    Raises:
        YamlError: it is too long, not text, or not YAML.
    """
    if len(text) > MAX_BYTES:
        raise YamlError(f"longer than {MAX_BYTES // 1_000_000} MB: is this the right file?")
    source = _decode(text)
    refused: yaml.YAMLError | None = None
    if FAST_LOADER is not None:
        try:
            return _root(FAST_LOADER, source)
        except yaml.YAMLError as error:
            refused = error  # which PyYAML's own reader may see otherwise
    from alo.plan.slow_yaml import SlowLoader

    try:
        return _root(SlowLoader, source)
    except yaml.YAMLError as error:
        raise _syntax_problem(refused or error, source) from error


def _root(loader_class: Any, source: str) -> Node | None:
    loader = loader_class(source)
    try:
        root: Node | None = loader.get_single_node()
        return root
    except RecursionError:
        raise YamlError("nested too deeply") from None
    finally:
        loader.dispose()


def read_value(text: bytes) -> object:
    """The value of a YAML text, as YAML 1.1 safe loading gives it.

    Raises:
        YamlError: the first thing that is wrong with it.
    """
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
        self._constructor = SafeConstructor()

    def complain(self, key: str, what: str, node: Node | None = None) -> None:
        """Note a problem: the plan is refused. ``node`` is its place, unless that is the key's."""
        self.problems.append(self._problem(key, what, node))

    def misfit(self, key: str, what: str, node: Node | None = None) -> None:
        """Report a value that is not what the key takes, and is left out."""
        tell = self.warn if self._is_lenient(key) else self.complain
        tell(key, what, node)

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
        try:
            value: object = self._constructor.construct_object(node)
            if isinstance(value, int) and value.bit_length() > MANY_BITS:
                str(value)  # one of more digits than Python writes could not be told of
            return value
        except CANNOT_CONVERT:
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
    mark = node.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


def _decode(text: bytes) -> str:
    is_wide = text.startswith((b"\xff\xfe", b"\xfe\xff"))
    encoding = "UTF-16" if is_wide else "UTF-8"
    try:
        source = text.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = text[: error.start].decode(encoding, "ignore").removeprefix("\ufeff")
        what = f"not {encoding} text (byte 0x{text[error.start]:02x}): save the file as UTF-8"
        raise YamlError(what, *_end(before)) from error
    bad = YamlReader.NON_PRINTABLE.search(source)
    if bad:
        code = ord(bad.group())
        what = f"the control character U+{code:04X} is not allowed"
        hint = "this is not a text file" if code == 0 else "remove it"
        raise YamlError(f"{what}: {hint}", *_end(source[: bad.start()]))
    return source


def _end(text: str) -> tuple[int, int]:
    return text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1


def _syntax_problem(error: yaml.YAMLError, source: str) -> YamlError:
    if not isinstance(error, yaml.MarkedYAMLError):
        return YamlError(f"not YAML: {' '.join(str(error).split())}")
    lines = source.splitlines() or [""]
    mark = _mark(error, lines)
    problem = (error.problem or "").removeprefix("but ")
    told = " ".join(part for part in (problem, _context(error)) if part)
    if mark is None:
        return YamlError(f"not YAML: {told}")
    line, column = min((mark.line, mark.column), (len(lines) - 1, len(lines[-1])))
    hint = _hint(told, lines[line][column:])
    return YamlError(f"not YAML: {told}; {hint}", line + 1, column + 1)


def _mark(error: yaml.MarkedYAMLError, lines: list[str]) -> yaml.Mark | None:
    seen, begun = error.problem_mark, error.context_mark
    is_end = seen is not None and (seen.line, seen.column) >= (len(lines) - 1, len(lines[-1]))
    # What is not closed says more than where the file ends.
    return begun if begun and is_end else seen or begun


def _context(error: yaml.MarkedYAMLError) -> str:
    if not error.context:
        return ""
    begun, seen = error.context_mark, error.problem_mark
    if begun is None or seen is None or begun.line == seen.line:
        return ""
    return f"({error.context} that starts on line {begun.line + 1})"


def _hint(told: str, rest: str) -> str:
    if rest.startswith("\t"):
        return "a tab: indent with spaces"
    if "cannot start any token" in told:
        return f"put a value that starts with {quoted(rest[:1])} in quotes"
    return next((hint for sign, hint in HINTS if sign in told), INDENTATION)
