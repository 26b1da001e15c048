"""What a stored step consists of, and the small file that says so.

Here: the types, and their text form (a checksum, then JSON), which runs that use a step again have
in common: its place says which run it is. Not here: the blobs they point to.
"""

import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator, Mapping
from typing import Any

from alo.files import checksum_of
from alo.json_text import json_value
from alo.named_tuples import NamedTuple

FORMAT = 3
# In pickles of the protocol that we write: the opcodes for a name in a module, and for codes that
# stand for one. The same bytes in a text do no harm.
NAMES_A_MODULE = (b"\x93", b"\x82", b"\x83", b"\x84")
NO_BLOB = ""  # of a part that is not written yet


class ManifestError(Exception):
    """The text of a manifest is not what was written, or is of another format."""


class CutShortError(ManifestError):
    """The end of the text is missing: who wrote it was killed before it was whole."""


def sealed(text: bytes) -> bytes:
    """A text with its checksum in a line before it: who reads it need not doubt what is in it."""
    return b"%s\n%s\n" % (checksum_of(text).encode(), text)


def unsealed(content: bytes) -> bytes:
    """The text that ``sealed`` was given.

    Raises:
        CutShortError: this is the beginning of something that was sealed.
        ManifestError: this is something else.
    """
    if content.count(b"\n") < 2 or not content.endswith(b"\n"):
        raise CutShortError("its end is missing")
    checksum, _, rest = content.partition(b"\n")
    text = rest.removesuffix(b"\n")
    if checksum_of(text).encode() != checksum:
        raise ManifestError("its checksum is wrong")
    return text


class Part(NamedTuple):
    """Some bytes of a blob."""

    blob: str
    offset: int
    size: int
    checksum: str
    step: str  # that wrote them: the one to run again if they are damaged

    @property
    def end(self) -> int:
        """The offset of the first byte after it."""
        return self.offset + self.size


class StoredValue(NamedTuple):
    """One value: a pickle stream, and the large buffers that are kept out of it.

    Two values with equal ``content`` are equal, in whichever run and step they were stored.
    """

    key: str
    type: str  # for messages
    stream: bytes | Part  # a short one is stored in the manifest itself
    buffers: tuple[Part, ...] = ()
    is_pair: bool = False  # the key is no text: the stream holds (key, value), ``key`` its repr

    @property
    def parts(self) -> tuple[Part, ...]:
        """All that is stored of it in blobs; a small stream is in the manifest instead."""
        return (self.stream, *self.buffers) if isinstance(self.stream, Part) else self.buffers

    @property
    def may_import(self) -> bool:
        """Whether reading it may import a module: of numbers, texts, lists and dicts none does."""
        stream = self.stream
        return isinstance(stream, Part) or any(code in stream for code in NAMES_A_MODULE)

    @property
    def content(self) -> tuple[str, ...]:
        """What identifies the value, wherever its bytes lie."""
        stream = self.stream
        own = stream.checksum if isinstance(stream, Part) else checksum_of(stream)
        return (self.key, own, *(part.checksum for part in self.buffers))


class StoredStep(NamedTuple):
    """What one step of one run saved."""

    run_id: str
    kind: str
    step: str
    data: tuple[StoredValue, ...]
    config: tuple[StoredValue, ...]
    # Folders of the project, apart from its own, in which modules of their classes are found.
    paths: tuple[str, ...] = ()

    def parts(self) -> Iterator[Part]:
        """The parts of all its values, data first."""
        for value in (*self.data, *self.config):
            yield from value.parts

    def stream_blobs(self) -> Iterator[str]:
        """The blobs that streams are in, which are compared while values are written."""
        for value in (*self.data, *self.config):
            if isinstance(value.stream, Part):
                yield value.stream.blob

    @property
    def may_import(self) -> bool:
        """Whether reading its values may import a module."""
        return any(value.may_import for value in (*self.data, *self.config))

    def document(self) -> dict[str, object]:
        """All of it but the run, as JSON has it; see ``of_document``."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "step": self.step,
            "data": [_value_to_json(value) for value in self.data],
            "config": [_value_to_json(value) for value in self.config],
            "paths": self.paths,
        }

    def to_bytes(self) -> bytes:
        """The content of the manifest, with a checksum; see ``from_bytes``."""
        return sealed(json.dumps(self.document()).encode())

    @classmethod
    def from_bytes(cls, content: bytes, run_id: str) -> "StoredStep":
        """Read what ``to_bytes`` wrote, for the run in whose folder it lies.

        Raises:
            ManifestError: this is something else.
        """
        return cls.of_document(json_value(unsealed(content)), run_id)

    @classmethod
    def of_document(cls, document: Mapping[str, Any], run_id: str) -> "StoredStep":
        """What ``document`` was made of.

        Raises:
            ManifestError: another version has made it.
        """
        if document["format"] != FORMAT:
            raise ManifestError("another version of ALO wrote it")
        return cls(
            run_id,
            document["kind"],
            document["step"],
            tuple(_value_from_json(value) for value in document["data"]),
            tuple(_value_from_json(value) for value in document["config"]),
            tuple(document["paths"]),
        )


def _value_to_json(value: StoredValue) -> dict[str, object]:
    stream = value.stream
    inline = None if isinstance(stream, Part) else b2a_base64(stream, newline=False).decode()
    return {**value._asdict(), "stream": stream if inline is None else inline}


def _value_from_json(document: dict[str, Any]) -> StoredValue:
    stream = document["stream"]
    return StoredValue(
        document["key"],
        document["type"],
        a2b_base64(stream) if isinstance(stream, str) else Part(*stream),
        tuple(Part(*part) for part in document["buffers"]),
        document["is_pair"],
    )
