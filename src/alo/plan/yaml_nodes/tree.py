"""A YAML document as nodes: what is where, before anything says what it means.

They are ours, not PyYAML's, so that they can come from a cache without it (``cache.py``).
"""

from __future__ import annotations

from typing import Any, Final

from alo.errors import Problem

MAX_BYTES = 1_000_000
TAG = "tag:yaml.org,2002:"
TEXT, NULL, MERGE = f"{TAG}str", f"{TAG}null", f"{TAG}merge"
UNREAD: Final = object()  # of a scalar whose value PyYAML is still to be asked for


class YamlError(Exception):
    """The text cannot be read at all; ``problem`` says where and why, without the file's name."""

    def __init__(self, what: str, line: int = 0, column: int = 0, key: str = "") -> None:
        super().__init__(what)
        self.problem = Problem(what, line=line, column=column, key=key)


class Node:
    """A value of the document; line and column are those of its begin, from 1."""

    __slots__ = ("column", "line", "tag")
    value: Any

    def __init__(self, tag: str, line: int, column: int) -> None:
        self.tag, self.line, self.column = tag, line, column


class ScalarNode(Node):
    """A single value: its text as it is written, without quotes."""

    __slots__ = ("plain", "value")

    def __init__(self, tag: str, line: int, column: int, value: str) -> None:
        super().__init__(tag, line, column)
        self.value: str = value
        self.plain: object = UNREAD


class SequenceNode(Node):
    """A list of nodes; through an alias it may hold itself."""

    __slots__ = ("value",)

    def __init__(self, tag: str, line: int, column: int) -> None:
        super().__init__(tag, line, column)
        self.value: list[Node] = []


class MappingNode(Node):
    """Pairs of nodes in the order of the text, also those whose key is there twice."""

    __slots__ = ("value",)

    def __init__(self, tag: str, line: int, column: int) -> None:
        super().__init__(tag, line, column)
        self.value: list[tuple[Node, Node]] = []
