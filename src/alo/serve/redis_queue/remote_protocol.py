"""Requests that an HTTP server hands to the loops of other machines through Redis.

They are in the same list as those of edge applications, and are marked. Files travel inside; the
one answer goes to a list of the server's own.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alo.files import remove_tree
from alo.json_text import json_bytes
from alo.serve.file_names import checked_file_name
from alo.texts import odd_text
from alo.workers.protocol import Args, Failure, Files, Request
from alo.workers.ticket import Result

MARK = "alo_request"
SERVER = "door"  # the name of the server that has asked; under the word of earlier versions
ANSWERS = "alo_answers:"  # and the name of the server that has asked
NOTES = "alo_requests:"  # likewise: a hash of the requests that loops have to answer
ANSWER_KEPT_S = 3600  # of a server that is gone
MOST_BYTES = 32_000_000  # of the files in one message, each way


class TooLargeError(Exception):
    """Files that are more than a message may hold."""


def to_payload(request: Request, server: str) -> bytes:
    """A request as it goes through Redis.

    Args:
        server: whose list the answer goes to.
    Raises:
        TooLargeError: its files are more than a message may hold.
        OSError: a file cannot be read.
    """
    paths = files_of(request)
    check_size("the request's data", paths)
    contents = {path.name: path.read_bytes() for path in paths}
    contents.update((os.path.basename(name), each) for name, each in request.files.items())
    files = [{"name": name, "content": _text(each)} for name, each in contents.items()]
    content = {"id": request.id, SERVER: server, "args": request.args, "files": files}
    return json_bytes({MARK: content})


class RemoteRequest:
    """Such a request in the hands of a loop.

    Args:
        content: what is under ``MARK``.
    Raises:
        ValueError: it does not say whose it is.
    """

    def __init__(self, content: Any) -> None:
        try:
            self.id, self.server = (
                checked_file_name(content["id"]),
                checked_file_name(content[SERVER]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"it is not of the form that a server sends: {error!r}") from error
        self._content = content
        self.folder: Path | None = None

    def request(self, spool: Path) -> Request:
        """The request itself, with its files in a folder below ``spool``.

        Raises:
            ValueError: it is not of the form that a server sends.
            OSError: its files cannot be written.
        """
        content = self._content
        try:
            args: Args = {str(step): dict(values) for step, values in content["args"].items()}
            files = {
                checked_file_name(each["name"]): base64.b64decode(each["content"], validate=True)
                for each in content["files"]
            }
            if len(files) != len(content["files"]) or odd_text(content["args"]) is not None:
                raise ValueError("two files of one name, or a text that cannot be written")
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"it is not of the form that a server sends: {error!r}") from error
        self.folder = spool / self.id
        remove_tree(self.folder)
        data = self.folder / "request"
        data.mkdir(parents=True)
        for name, raw in files.items():
            (data / name).write_bytes(raw)
        return Request(self.id, None, (str(data),), args)

    @property
    def answers(self) -> str:
        """The list for the answer."""
        return f"{ANSWERS}{self.server}"


def answer_of(
    request_id: str,
    summary: Mapping[str, object] | None,
    outputs: tuple[str, ...],
    failure: Failure | None,
    contents: Files | None = None,
) -> dict[str, Any]:
    """The answer as it goes through Redis; the output files travel inside.

    Args:
        outputs: their paths.
        contents: of them, by name, where a worker has sent them; they are on no disk any more.
    Raises:
        TooLargeError: they are more than a message may hold.
        OSError: one cannot be read.
    """
    if contents is None:
        paths = [Path(path) for path in outputs]
        check_size("the output", paths)
        contents = {path.name: path.read_bytes() for path in paths}
    files = [{"name": name, "content": _text(each)} for name, each in contents.items()]
    failed = asdict(failure) if failure else None
    return {"id": request_id, "summary": summary, "outputs": files, "failure": failed}


def result_of(content: Mapping[str, Any], folder: Path, seconds: float) -> Result:
    """What came of a request; its output files are written into a folder."""
    names = []
    for each in content["outputs"]:
        folder.mkdir(parents=True, exist_ok=True)
        name = _file_name(each["name"])
        (folder / name).write_bytes(base64.b64decode(each["content"]))
        names.append(name)
    failure = Failure(**content["failure"]) if content["failure"] else None
    return Result(content["id"], content["summary"], tuple(names), failure, seconds)


def _file_name(name: str) -> str:
    """The name of an output: an asset may give it any that a file can have."""
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise ValueError(f"no name of a file: {name!r}")
    return name


def files_of(request: Request) -> list[Path]:
    """The files of a request, in the order in which they are sent."""
    return [path for folder in request.data for path in sorted(Path(folder).iterdir())]


def check_size(what: str, paths: Sequence[Path]) -> None:
    """See that files can go in one message.

    Raises:
        TooLargeError: they cannot.
        OSError: one is not there.
    """
    size = sum(path.stat().st_size for path in paths)
    if size > MOST_BYTES:
        raise TooLargeError(
            f"{what} has {size / 1e6:,.1f} MB; between a server and its loops at most "
            f"{MOST_BYTES / 1e6:.0f} MB can go: give the loops a place that they can read"
        )


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
