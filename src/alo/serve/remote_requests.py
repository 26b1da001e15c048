"""Requests that an HTTP door hands to the loops of other machines through Redis.

They stand in the same list as those of edge applications, and are marked. Files travel inside; the
one answer goes to a list of the door's own.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alo.files import remove_tree
from alo.json_text import json_bytes
from alo.serve.http_names import safe_name
from alo.serve.messages import Args, Failure, Request
from alo.serve.pool import Result

MARK = "alo_request"
ANSWERS = "alo_answers:"  # and the door's id
ANSWER_KEPT_S = 3600  # of a door that is gone


def to_payload(request: Request, door: str) -> bytes:
    """A request as it goes through Redis.

    Args:
        door: whose list the answer goes to.
    """
    files = [
        {"name": path.name, "content": _text(path.read_bytes())}
        for folder in request.data
        for path in sorted(Path(folder).iterdir())
    ]
    content = {"id": request.id, "door": door, "args": request.args, "files": files}
    return json_bytes({MARK: content})


class RemoteRequest:
    """Such a request in the hands of a loop.

    Args:
        content: what stands under ``MARK``.
        spool: a folder of the loop's for its files.
    Raises:
        ValueError: it is not one.
    """

    def __init__(self, content: Any, spool: Path) -> None:
        try:
            self.id, self.door = safe_name(str(content["id"])), str(content["door"])
            args: Args = {str(step): dict(values) for step, values in content["args"].items()}
            files = {
                safe_name(each["name"]): base64.b64decode(each["content"])
                for each in content["files"]
            }
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"it is not of the form that a door sends: {error}") from error
        self.folder = spool / self.id
        remove_tree(self.folder)
        (self.folder / "request").mkdir(parents=True)
        for name, data in files.items():
            (self.folder / "request" / name).write_bytes(data)
        self.request = Request(self.id, None, (str(self.folder / "request"),), args)

    @property
    def answers(self) -> str:
        """The list for the answer."""
        return f"{ANSWERS}{self.door}"


def answer_of(
    request_id: str,
    summary: Mapping[str, object] | None,
    outputs: tuple[str, ...],
    failure: Failure | None,
) -> dict[str, Any]:
    """The answer as it goes through Redis; the output files travel inside."""
    files = [
        {"name": Path(path).name, "content": _text(Path(path).read_bytes())} for path in outputs
    ]
    told = failure._asdict() if failure else None
    return {"id": request_id, "summary": summary, "outputs": files, "failure": told}


def result_of(content: Mapping[str, Any], folder: Path, seconds: float) -> Result:
    """What came of a request; its output files are written into a folder."""
    names = []
    for each in content["outputs"]:
        folder.mkdir(parents=True, exist_ok=True)
        name = safe_name(each["name"])
        (folder / name).write_bytes(base64.b64decode(each["content"]))
        names.append(name)
    failure = Failure(**content["failure"]) if content["failure"] else None
    return Result(content["id"], content["summary"], tuple(names), failure, seconds)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
