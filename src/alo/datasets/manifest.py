"""What a version of a data set says of itself: ``manifest.json``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from alo.datasets.rows import TEST, TRAIN, decisions_of
from alo.datasets.split import TEST_SHARE
from alo.errors import DatasetError
from alo.json_text import EACH, json_bytes, json_file, misfit

MANIFEST, ROWS, LABELS = "manifest.json", "rows.jsonl", "test_labels.csv"
TEST_TABLE = "test.csv"  # below test/; of pictures there is none
RESTORE = "restore it from a backup, or make the next version"
_BLOCK = 1 << 20
_KINDS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(
        ("name", "version", "id", "parent", "base", "who", "when", "note", "command", "checksum"),
        str,
    ),
    "counts": dict,
    "test_share": (int, float),
}
_LISTS = ("base_folders", "reviews", "labels")
_MEANING_KINDS = {
    **dict.fromkeys(("prediction", "key", "image", "label"), str),
    **dict.fromkeys(("agreement", "gate"), dict),
}
_MEANING_LISTS = ("slices", "columns")


@dataclass(frozen=True, slots=True)
class DatasetFile:
    """A file of a version."""

    path: str  # in the version's folder
    size: int  # bytes
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """Which columns mean what, in the inputs of a version and in what a model answers to them."""

    prediction: str = "prediction"  # of the answer
    key: str = ""  # joins answer and input; empty: by position
    image: str = ""  # of the answer, with the picture's file name
    label: str = "label"  # of the train data
    columns: Sequence[str] = ()  # that a model is given, in their order; none: pictures
    slices: Sequence[str] = ()  # looked at one by one by the gate
    agreement: Mapping[str, object] = field(default_factory=dict)  # of people, about the rows
    gate: Mapping[str, float] = field(default_factory=dict)  # rules in place of the plan's

    def as_read(self) -> Meaning:
        """As it is once it was written and read again, with lists."""
        return replace(self, columns=list(self.columns), slices=list(self.slices))


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A version of a data set."""

    name: str
    version: str  # v1, v2, ...
    id: str  # over its contents: the same decisions make the same
    parent: str  # the version before, NAME@V; empty: none
    base: str  # what it was made of beside reviews: a path, NAME@V, or none
    base_folders: Sequence[str] = ()  # below train/, one for each path of the base
    reviews: Sequence[str] = ()
    labels: Sequence[str] = ()
    meaning: Meaning = field(default_factory=Meaning)
    test_share: float = TEST_SHARE
    counts: Mapping[str, object] = field(default_factory=dict)
    files: Sequence[DatasetFile] = ()
    who: str = ""
    when: str = ""
    note: str = ""
    command: str = ""
    checksum: str = ""  # over all of this; of versions of old there is none

    @property
    def reference(self) -> str:
        """NAME@V."""
        return f"{self.name}@{self.version}"

    def to_json(self) -> dict[str, object]:
        """As ``manifest.json`` and `alo dataset show --json` have it."""
        content = asdict(self)
        if not self.meaning.gate:  # as in versions of old: their checksum is over all of this
            del content["meaning"]["gate"]
        return content


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a version.

    Raises:
        DatasetError: there is none, or it is damaged.
    """
    path = folder / MANIFEST
    try:
        content = json_file(path)
        files = [DatasetFile(**each) for each in content.pop("files")]
        meaning = Meaning(**content.pop("meaning"))
        manifest = Manifest(**content, meaning=meaning, files=files)
        _check(manifest)
    except FileNotFoundError as error:
        raise DatasetError(
            "it is no version of a data set", where=str(folder), fix=RESTORE
        ) from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DatasetError(
            f"its manifest cannot be read: {error}", where=str(path), fix=RESTORE
        ) from error
    return manifest


def _check(manifest: Manifest) -> None:
    """Raises ``ValueError`` where something is not of its kind: whoever has changed the file."""
    _check_kinds(manifest, _KINDS, _LISTS)
    _check_kinds(manifest.meaning, _MEANING_KINDS, _MEANING_LISTS)
    if misfit(manifest.meaning.gate, {EACH: (int, float)}):
        raise ValueError("'gate' has a rule that is no number")
    for name in manifest.base_folders:
        if Path(name).name != name:
            raise ValueError(f"'{name}' is no folder below train/")
    for name, count in manifest.counts.items():
        by_label = name in (TRAIN, TEST, "left_out")
        if wrong := misfit(count, {EACH: int} if by_label else int, f"counts.{name}"):
            raise ValueError(f"'{wrong}' is no count")
    for file in manifest.files:
        if misfit([file.path, file.sha256], [str]) or misfit(file.size, int, "size"):
            raise ValueError("'files' has one without a path, a size or a checksum")


def _check_kinds(
    given: Manifest | Meaning,
    kinds: Mapping[str, type | tuple[type, ...]],
    lists: Sequence[str],
) -> None:
    for key, kind in kinds.items():
        if not isinstance(getattr(given, key), kind):
            raise ValueError(f"'{key}' is of another kind")
    for key in lists:
        value = getattr(given, key)
        if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
            raise ValueError(f"'{key}' is no list of texts")


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Write the manifest of a version that is being made; returns it with its checksum."""
    whole = replace(manifest, checksum=checksum_of(manifest))
    (folder / MANIFEST).write_bytes(json_bytes(whole.to_json(), indent=1))
    return whole


def checksum_of(manifest: Manifest) -> str:
    """The SHA-256 over everything that a manifest says."""
    said = replace(manifest, checksum="").to_json()
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def files_of(folder: Path) -> list[DatasetFile]:
    """The files of a version, its manifest left out, by path."""
    found: list[DatasetFile] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not path.is_symlink() and name != MANIFEST:
            found.append(DatasetFile(name, path.stat().st_size, sha256_of(path)))
    return found


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def id_of(files: Iterable[DatasetFile], rows: bytes) -> str:
    """The id over the contents of a version: 12 hexadecimal digits.

    Who decided when is in the rows, but not in the id: the same decisions make the same version.

    Args:
        rows: the content of ``rows.jsonl``.
    """
    digest = hashlib.sha256()
    for file in files:
        if file.path != ROWS:
            digest.update(f"{file.path}\0{file.sha256}\n".encode("utf-8", "surrogateescape"))
    digest.update(decisions_of(rows))
    return digest.hexdigest()[:12]
