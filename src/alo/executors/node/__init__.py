"""What lives where tasks run: a node's store of folders, its environments, and its process."""

from alo.executors.node.link import NodeLink

__all__ = ["NodeLink"]
