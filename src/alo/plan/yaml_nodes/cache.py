"""The nodes of the last plan that ran, kept so that the next command need not import PyYAML.

The file says of which text it is, and which ALO and PyYAML made it. Where anything of that, or its
checksum, is another, it is as if it were not there. A run writes it; a check changes nothing.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from alo.files import checksum_of, write_whole
from alo.json_text import ordinary_bytes
from alo.masking import masked
from alo.plan.yaml_nodes.tree import NULL, TAG, UNREAD, MappingNode, Node, ScalarNode, SequenceNode
from alo.version import __version__

SCALAR, SEQUENCE, MAPPING = range(3)
# Whose values JSON can hold; others (dates, binary) are read when they are asked for.
PLAIN = (NULL, f"{TAG}bool", f"{TAG}int", f"{TAG}float")


def nodes_of(text: bytes, file: Path | None) -> Node | None:
    """The root node of a text; None if there is nothing in it.

    Args:
        file: where they may be kept.
    Raises:
        YamlError: it is too long, not text, or not YAML.
    """
    root = None if file is None else _kept(text, file)
    if root is not None:
        return root
    from alo.plan.yaml_nodes.parser import compose

    return compose(text)


def keep_nodes(text: bytes, file: Path) -> None:
    """Keep the nodes of a text that has been read, unless they are kept already.

    One with passwords is not kept: what is in the project's folder besides the plan has none.

    Raises:
        OSError: the file cannot be written.
    """
    if _rows_of(text, file) is not None or masked(shown := text.decode("latin-1")) != shown:
        return
    from alo.plan.yaml_nodes.parser import compose, plain_value

    root = compose(text)
    nodes = [] if root is None else _all_nodes(root)
    for node in nodes:
        if isinstance(node, ScalarNode) and node.tag in PLAIN:
            with suppress(ValueError):  # a wrong one is reported when it is read
                node.plain = plain_value(node)
    rows = json.dumps(_rows(nodes)).encode()
    file.parent.mkdir(exist_ok=True)
    write_whole(file, b"\n".join([_head(text, rows), rows]), durable=False)


def _kept(text: bytes, file: Path) -> Node | None:
    rows = _rows_of(text, file)
    try:
        return _tree(json.loads(rows)) if rows else None
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def _rows_of(text: bytes, file: Path) -> bytes | None:
    """The rows that are kept for a text, as they were written."""
    try:
        head, rows = ordinary_bytes(file).split(b"\n", 1)
        return rows if head == _head(text, rows) else None
    except (OSError, ValueError):
        return None


def _head(text: bytes, rows: bytes) -> bytes:
    """Of what text the rows are, and who made them: another ALO or PyYAML may read it otherwise."""
    spec = PathFinder.find_spec("yaml")
    parser = "" if spec is None else str(spec.origin)
    parts = [__version__, parser, os.stat(parser).st_mtime_ns, checksum_of(text), checksum_of(rows)]
    return json.dumps(parts).encode()


def _all_nodes(root: Node) -> list[Node]:
    """Each node once, however many aliases it has; the root is the first."""
    nodes: list[Node] = []
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen.add(id(node))
            nodes.append(node)
            waiting += _children(node)
    return nodes


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [each for pair in node.value for each in pair]
    return node.value if isinstance(node, SequenceNode) else []


def _rows(nodes: list[Node]) -> list[list[object]]:
    """A row for each node; children by their places in the list."""
    places = {id(node): place for place, node in enumerate(nodes)}
    return [[node.tag, node.line, node.column, *_content(node, places)] for node in nodes]


def _content(node: Node, places: dict[int, int]) -> list[object]:
    if isinstance(node, ScalarNode):
        return [SCALAR, node.value] if node.plain is UNREAD else [SCALAR, node.value, node.plain]
    kind = MAPPING if isinstance(node, MappingNode) else SEQUENCE
    return [kind, [places[id(child)] for child in _children(node)]]


def _tree(rows: list[Any]) -> Node:
    nodes = [_node(*row) for row in rows]
    for node, (*_, last) in zip(nodes, rows, strict=True):
        if isinstance(node, SequenceNode):
            node.value = [nodes[place] for place in last]
        elif isinstance(node, MappingNode):
            children = [nodes[place] for place in last]
            node.value = list(zip(children[::2], children[1::2], strict=True))
    return nodes[0]


def _node(tag: str, line: int, column: int, kind: int, value: Any, plain: object = UNREAD) -> Node:
    """The node of a row; children are still to be put in."""
    if kind == SCALAR:
        scalar = ScalarNode(tag, line, column, value)
        scalar.plain = plain
        return scalar
    return (MappingNode if kind == MAPPING else SequenceNode)(tag, line, column)
