"""What an external path of the plan means: a local path, or a place in a store or behind HTTP.

What people write instead of the right form (``s3:/bucket``, ``C:\\data``, ``$HOME/data``) is an
error that names the right one: taken as it is, it would be a new folder next to the plan.
"""

import os
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from alo.errors import OutsideError
from alo.masking import masked
from alo.named_tuples import NamedTuple

STORES = ("s3", "gs", "az")
REMOTE_SCHEMES = tuple(f"{scheme}://" for scheme in (*STORES, "http", "https"))
KNOWN = (*STORES, "http", "https", "file")
ALSO_CALLED = {  # by other tools
    **dict.fromkeys(("s3a", "s3n"), "s3"),
    **dict.fromkeys(("gcs", "gsutil"), "gs"),
    **dict.fromkeys(("abfs", "abfss", "wasb", "wasbs", "adl", "azure"), "az"),
}
SIGNED = r"[?&](sig|se|sv|X-Amz-\w+|X-Goog-\w+|AWSAccessKeyId|Signature)="
QUOTES = ("''", '""', "``", "\u2018\u2019", "\u201c\u201d")
LONGEST_NAME = 255  # bytes of one name, on any file system in use


class LocationError(OutsideError):
    """An external path cannot be used; says which and why."""

    exit_status = 2


class Access(NamedTuple):
    """What the plan says about getting at remote locations."""

    aws_key_profile: str = ""  # empty: the usual credential chain


NO_PROFILE = Access()


class RemoteLocation(NamedTuple):
    """A folder or file in an object store, or behind HTTP."""

    url: str  # without a slash at its end, but for one of HTTP with a query
    access: Access = NO_PROFILE
    is_folder: bool = False  # it had a slash at its end

    def __str__(self) -> str:
        return masked(self.url)

    def __truediv__(self, name: str) -> "RemoteLocation":
        return self._replace(url=f"{self.url}/{name}", is_folder=False)

    @property
    def name(self) -> str:
        """The last part of the URL, without its query."""
        path = re.split(r"[?#]", self.url)[0] if self.is_http else self.url
        path = path.partition("://")[2].rstrip("/")
        name = path.rpartition("/")[2] if "/" in path else ""
        if not self.is_http:
            return name
        from urllib.parse import unquote

        return unquote(name, errors="surrogateescape").replace("/", "_")

    @property
    def is_http(self) -> bool:
        """Whether it is behind HTTP, and not in an object store."""
        return self.url.startswith(("http://", "https://"))


class SourceFile(NamedTuple):
    """One file to be staged, or a folder that holds nothing."""

    path: str  # absolute, or a URL
    name: str  # below input/<kind>/, with / between parts; an empty folder's ends with one
    size: int  # -1: its server does not say
    mtime_ns: int
    etag: str = ""  # of an object, where its store gives one

    @property
    def is_folder(self) -> bool:
        """Whether it is an empty folder, not a file."""
        return self.name.endswith("/")

    @property
    def known_size(self) -> int:
        """For sums."""
        return max(self.size, 0)

    @property
    def version(self) -> tuple[int, int, str]:
        """Differs once the content may: size and time, or size and ETag."""
        return (self.size, 0 if self.etag else self.mtime_ns, self.etag)


def versions_of(files: Iterable[SourceFile]) -> list[tuple[str, int, int, str]]:
    """The name of each file and its version; empty folders have none."""
    return [
        (name, size, 0 if etag else mtime_ns, etag)
        for _, name, size, mtime_ns, etag in files
        if name[-1] != "/"
    ]


def version_columns(files: Sequence[SourceFile]) -> Sequence[Sequence[Any]]:
    """The same as columns: names, sizes, times, ETags."""
    _, *columns = zip(*files, strict=True) if files else [()] * 5
    if all(columns[2]) and not any(columns[3]):  # no folder is among them, and no object of a store
        return columns
    return list(zip(*versions_of(files), strict=True)) or [()] * 4


def is_remote(path: str) -> bool:
    """Whether an external path of the plan names an object store or a URL, not a local path."""
    return _plain(path).startswith(REMOTE_SCHEMES)


def locate(home: Path, path: str, access: Access = NO_PROFILE) -> Path | RemoteLocation:
    """What an external path of the plan means; a relative one is relative to the project.

    Raises:
        LocationError: it has no meaning, or one that was hardly meant.
    """
    text = _plain(path)
    _refuse_unspeakable(path, is_url=text.startswith(REMOTE_SCHEMES))
    if text.startswith(REMOTE_SCHEMES):
        return _remote(text, access)
    if text.startswith("file:"):
        return _from_file_url(text)
    found = re.match(r"([A-Za-z][\w+.-]+):(//?)", text.replace("\\", "/"))
    if found and (found[2] == "//" or found[1].lower() in KNOWN):
        raise _wrong_scheme(text, found[1])
    local = Path(os.path.normpath(home / os.path.expanduser(text)))
    if not os.path.lexists(local):  # else it is what it says, however odd
        if found:
            raise _wrong_scheme(text, found[1])
        _refuse_slip(text)
    return local


def is_within(place: Path | RemoteLocation, folders: Collection[Path | RemoteLocation]) -> bool:
    """Whether a place is one of some folders, or is in one."""
    return any(f"{place}/".startswith(f"{folder}/") for folder in folders)


def check_name(name: str, where: str) -> None:
    """See that every part of a name can be that of a file.

    Raises:
        LocationError: it cannot.
    """
    parts, fix = name.removesuffix("/").split("/"), "give it another name"
    if {"", ".", ".."} & set(parts) or "\0" in name:
        raise LocationError(f"{where}: not a name that a file can have", fix=fix)
    try:
        longest = max(len(os.fsencode(part)) for part in parts)
    except UnicodeEncodeError:
        raise LocationError(f"{where}: not a name that a file can have", fix=fix) from None
    if longest > LONGEST_NAME:
        what = f"{where}: a name of {longest} bytes, and a file's has at most {LONGEST_NAME}"
        raise LocationError(what, fix="give it a shorter name")


def _plain(path: str) -> str:
    """Without what is around it by accident; the scheme in small letters."""
    text = path.strip()
    if len(text) > 1 and text[0] + text[-1] in QUOTES:
        text = text[1:-1].strip()
    scheme, colon, rest = text.partition(":")
    return f"{scheme.lower()}:{rest}" if colon and scheme.lower() in KNOWN else text


def _refuse_unspeakable(path: str, *, is_url: bool) -> None:
    shown = path.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
    try:
        path.encode() if is_url else os.fsencode(path)  # a file's name may be of any bytes
    except UnicodeEncodeError:
        raise LocationError(f"{shown}: holds half a character, which no path can") from None
    if "\0" in path:
        raise LocationError(f"{shown}: holds a zero byte, which no path can")
    if not path.strip():
        raise LocationError("an empty path", fix="name a folder or a file, or leave the key empty")


def _remote(text: str, access: Access) -> RemoteLocation:
    scheme, _, rest = text.partition("://")
    bucket = re.split(r"[/?#]", rest)[0] if scheme not in STORES else rest.partition("/")[0]
    if not bucket:
        right = f"{scheme}://{rest.lstrip('/')}"
        near = f"did you mean {right}?" if rest.strip("/") else ""
        raise LocationError(f"{text}: names no bucket or server", fix=near)
    if scheme in STORES and "@" in bucket:
        raise LocationError(
            f"{text}: keys are not read from a URL",
            fix="leave out what is before the @; name a profile in aws_key_profile, or set the "
            "variables of the store's own tools",
        )
    if scheme in STORES and re.search(SIGNED, rest):
        raise LocationError(
            f"{text}: a signature is not read from a {scheme}:// URL",
            fix="a signed URL begins with https:// (one file, to read); for folders, and to save, "
            "use the keys of a profile or of the environment",
        )
    is_query = scheme not in STORES and re.search(r"[?#]", rest)
    return RemoteLocation(text if is_query else text.rstrip("/"), access, text.endswith("/"))


def _from_file_url(text: str) -> Path:
    from urllib.parse import unquote

    found = re.fullmatch(r"file:(?://(?:localhost)?)?(/[^/].*|/)", text)
    if not found:
        rest = unquote(text.removeprefix("file:").lstrip("/"))
        raise LocationError(
            f"{text}: not a file on this machine",
            fix=f"did you mean file:///{rest}, or {rest} in the project?",
        )
    return Path(os.path.normpath(unquote(found[1], errors="surrogateescape")))


def _wrong_scheme(text: str, scheme: str) -> LocationError:
    from difflib import get_close_matches

    rest = text.replace("\\", "/")[len(scheme) + 1 :].lstrip("/")
    name = scheme.lower()
    near = ALSO_CALLED.get(name) or next(iter(get_close_matches(name, KNOWN, 1)), "")
    if near and not (near == "az" and "@" in rest):  # container@account is another order
        return LocationError(
            f"{text}: no locations of the kind '{scheme}:'"
            if name != near
            else f"{text}: a URL begins with {scheme}://",
            fix=f"did you mean {near}://{rest}?",
        )
    return LocationError(
        f"{text}: no locations of the kind '{scheme}:'",
        fix=f"it can be a local path, or begin with {', '.join(REMOTE_SCHEMES)}",
    )


def _refuse_slip(text: str) -> None:
    """What is not there and looks like something else: a folder of that name is not meant."""
    if found := re.match(rf"({'|'.join(KNOWN)})(:|;/|//)/*(.*)", text, re.IGNORECASE):
        right = f"{found[1].lower()}://{found[3]}"
        raise LocationError(f"{text}: neither a URL nor a path", fix=f"did you mean {right}?")
    if re.match(r"[A-Za-z]:([\\/]|$)|\\\\", text):
        raise LocationError(
            f"{text}: a path of Windows, and this is another system",
            fix="give the path that the folder has here, such as /mnt/... or ./data/",
        )
    if "\\" in text:
        right = text.replace("\\", "/")
        raise LocationError(f"{text}: does not exist, with \\ for /", fix=f"did you mean {right}?")
    if re.search(r"\$\w|\$\{|^%\w+%", text):
        raise LocationError(
            f"{text}: variables of the environment are not filled in",
            fix="write what it stands for; ~ is your home, and relative paths start at the project",
        )
    if text.startswith("~") and os.path.expanduser(text) == text:
        user = text.partition("/")[0]
        fix = f"write ./{text}, if it is a folder"
        raise LocationError(f"{text}: there is no user {user[1:]}", fix=fix)
    for part in text.split("/"):
        if len(os.fsencode(part)) > LONGEST_NAME:
            check_name(part, text)
