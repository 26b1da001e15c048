"""What an id hangs together with, as nodes and edges: what `alo trace` prints, and pages draw."""

from __future__ import annotations

from dataclasses import dataclass, field

PRESENT, PRUNED = "present", "pruned"


@dataclass(slots=True)
class Trace:
    """What an id hangs together with."""

    id: str
    kind: str  # record, run, request, dataset, content or review
    nodes: dict[tuple[str, str], dict[str, object]] = field(default_factory=dict)
    edges: list[tuple[str, str, str]] = field(default_factory=list)  # from, to, what

    def to_json(self) -> dict[str, object]:
        """As `alo trace --json` prints it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "nodes": [
                {"kind": kind, "id": name, **known} for (kind, name), known in self.nodes.items()
            ],
            "edges": [{"from": one, "to": other, "what": what} for one, other, what in self.edges],
        }

    def add(self, kind: str, name: str, **known: object) -> bool:
        """A node, present unless it says otherwise; returns whether it is new."""
        if (kind, name) in self.nodes:
            return False
        self.nodes[kind, name] = {"state": PRESENT, **known}
        return True

    def link(self, one: str, other: str, what: str) -> None:
        """An edge, once."""
        if (one, other, what) not in self.edges:
            self.edges.append((one, other, what))
