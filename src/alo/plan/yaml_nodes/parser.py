"""YAML text to nodes, by PyYAML: syntax, encoding, size. Imported where a text is not in the cache.

Not here: what nodes mean (``reader.py``).
"""

from __future__ import annotations

from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.reader import Reader as YamlReader

from alo.plan.suggest import quoted
from alo.plan.yaml_nodes import tree
from alo.plan.yaml_nodes.tree import MAX_BYTES, Node, YamlError

MANY_BITS = 2000
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
    from alo.plan.yaml_nodes.slow_parser import SlowLoader

    try:
        return _root(SlowLoader, source)
    except yaml.YAMLError as error:
        raise _syntax_problem(refused or error, source) from error


def _root(loader_class: Any, source: str) -> Node | None:
    loader = loader_class(source)
    try:
        root = loader.get_single_node()
        return None if root is None else _ours(root, {})
    except RecursionError:
        raise YamlError("nested too deeply") from None
    finally:
        loader.dispose()


def plain_value(node: tree.ScalarNode) -> object:
    """What YAML 1.1 safe loading makes of a scalar.

    Raises:
        ValueError: it does not have the form of its type.
    """
    try:
        value: object = SafeConstructor().construct_object(yaml.ScalarNode(node.tag, node.value))
        if isinstance(value, int) and value.bit_length() > MANY_BITS:
            str(value)  # one of more digits than Python writes could not be reported
        return value
    except CANNOT_CONVERT as error:
        raise ValueError(str(error)) from error


def _ours(theirs: yaml.Node, made: dict[int, Node]) -> Node:
    """Our node for one of PyYAML's; an alias is the node it stands for."""
    known = made.get(id(theirs))
    if known is not None:
        return known
    mark = theirs.start_mark
    begin = (theirs.tag, mark.line + 1, mark.column + 1)
    if isinstance(theirs, yaml.ScalarNode):
        made[id(theirs)] = scalar = tree.ScalarNode(*begin, theirs.value)
        return scalar
    if isinstance(theirs, yaml.SequenceNode):
        made[id(theirs)] = sequence = tree.SequenceNode(*begin)
        sequence.value += [_ours(item, made) for item in theirs.value]
        return sequence
    made[id(theirs)] = mapping = tree.MappingNode(*begin)
    mapping.value += [(_ours(key, made), _ours(value, made)) for key, value in theirs.value]
    return mapping


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
    message = " ".join(part for part in (problem, _context(error)) if part)
    if mark is None:
        return YamlError(f"not YAML: {message}")
    line, column = min((mark.line, mark.column), (len(lines) - 1, len(lines[-1])))
    hint = _hint(message, lines[line][column:])
    return YamlError(f"not YAML: {message}; {hint}", line + 1, column + 1)


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


def _hint(message: str, rest: str) -> str:
    if rest.startswith("\t"):
        return "a tab: indent with spaces"
    if "cannot start any token" in message:
        return f"put a value that starts with {quoted(rest[:1])} in quotes"
    return next((hint for sign, hint in HINTS if sign in message), INDENTATION)
