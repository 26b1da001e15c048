"""Files behind HTTP: what there is to know of one before it is fetched, and its content, whole.

A server may leave nearly everything out: the length, the date, the ETag, parts. What it does not
say is not made up: a file of which it gives neither date nor ETag counts as changed each time.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterator
from http.client import HTTPMessage, HTTPResponse
from urllib.parse import parse_qsl, unquote, urlsplit

from alo.data.location import LocationError, RemoteLocation, SourceFile, check_name
from alo.data.remote.faults import ChangedError, NoRangesError, ObjectStoreError, again
from alo.data.remote.web import NoSuchRangeError, date_of, opened
from alo.files import CHUNK

GLANCE = 512  # bytes that are asked for to look at a file
PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype\s+html|html[\s>])", re.IGNORECASE)
PAGES = (".html", ".htm", ".xhtml", ".mht", ".mhtml")
PROGRAMS = (".php", ".asp", ".aspx", ".ashx", ".jsp", ".jspx", ".cgi", ".do", ".action", ".pl")
PACKED = (".gz", ".tgz", ".taz", ".svgz")  # whose own form is what a server calls an encoding
DECODED = {"gzip": 47, "x-gzip": 47, "deflate": 47}  # wbits: whichever header is there


def look_at(location: RemoteLocation) -> SourceFile:
    """What a server says of a file.

    Raises:
        ObjectStoreError: it is not there, or the server does not give it.
        LocationError: what is there is no file to be staged.
    """
    return again(lambda: _look(location))


def _look(location: RemoteLocation) -> SourceFile:
    try:
        with opened(location.url, (0, GLANCE - 1)) as answer:
            return _seen(location, answer)
    except NoSuchRangeError as error:
        if error.is_empty:  # of its date nothing is known
            return SourceFile(location.url, _checked(location, location.name), 0, time.time_ns())
    with opened(location.url) as answer:
        return _seen(location, answer)


def _seen(location: RemoteLocation, answer: HTTPResponse) -> SourceFile:
    headers = answer.headers
    if answer.status not in (200, 203, 206):
        said = f"{answer.status} {answer.reason}".strip()
        raise ObjectStoreError(f"{location}: the server said {said}, and gave no file")
    name = _checked(location, _name_of(location, headers))
    _refuse_page(location, name, answer)
    mtime_ns = date_of(headers.get("Last-Modified", ""))
    etag = _etag_of(headers)
    if not mtime_ns and not etag:
        mtime_ns = time.time_ns()
    return SourceFile(location.url, name, _size_of(name, answer), mtime_ns, etag)


def _size_of(name: str, answer: HTTPResponse) -> int:
    if _decoder(name, answer.headers):
        return -1
    if answer.status == 206:
        found = re.fullmatch(r"bytes \d+-\d+/(\d+)", answer.headers.get("Content-Range", ""))
        return int(found[1]) if found else -1
    return _length_of(answer)


def _length_of(answer: HTTPResponse) -> int:
    """Of the body as it is sent; -1: the server does not say."""
    length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() and not answer.chunked else -1


def _etag_of(headers: HTTPMessage) -> str:
    """Without its quotes, as stores have it; a weak one with its mark."""
    etag = headers.get("ETag", "").strip()
    return f"W/{etag[2:]}" if etag[:2] in ("W/", "w/") else etag.strip('"')


def _name_of(location: RemoteLocation, headers: HTTPMessage) -> str:
    """The URL's last part, unless that names a program and the server, or the query, a file."""
    own = location.name
    stem, dot, suffix = own.rpartition(".")
    if stem and dot and f".{suffix}".lower() not in PROGRAMS:
        return own
    query = urlsplit(location.url).query
    named = [value.rpartition("/")[2] for _, value in parse_qsl(query, errors="surrogateescape")]
    files = [name for name in named if re.fullmatch(r"[^\s.][^/]*\.[A-Za-z]\w{0,7}", name)]
    return _disposed(headers) or (files[0] if len(files) == 1 else "") or own


def _disposed(headers: HTTPMessage) -> str:
    """The name in ``Content-Disposition``, without any folder before it."""
    text = headers.get("Content-Disposition", "")
    if found := re.search(r"filename\*\s*=\s*([\w-]+)'[^']*'([^;\s]+)", text, re.IGNORECASE):
        try:
            name = unquote(found[2].strip('"'), encoding=found[1], errors="strict")
        except (LookupError, UnicodeDecodeError):
            name = ""
    else:
        found = re.search(r"filename\s*=\s*(\"((?:[^\"\\]|\\.)*)\"|[^;]+)", text, re.IGNORECASE)
        name = re.sub(r"\\(.)", r"\1", found[2] or found[1].strip()) if found else ""
        # Headers are read as Latin-1; most servers that write other letters there mean UTF-8.
        name = name.encode("latin-1", "replace").decode("utf-8", "replace") if name else ""
    name = re.split(r"[/\\]", name)[-1]
    return name if name not in (".", "..") and "\ufffd" not in name else ""


def _checked(location: RemoteLocation, name: str) -> str:
    check_name(name, str(location))
    return name


def _refuse_page(location: RemoteLocation, name: str, answer: HTTPResponse) -> None:
    """A page in place of the file: the listing of a folder, a form to log in by."""
    is_asked_for = name.lower().endswith(PAGES)
    if not is_asked_for and "html" in answer.headers.get("Content-Type", "html").lower():
        glance = answer.read(GLANCE)
        if PAGE.match(glance):
            raise LocationError(
                f"{location}: the server sent a web page, and no file",
                fix="over http, name a file: folders cannot be listed; or see in a browser whether "
                "it is a form to log in by",
            )


class WebSource:
    """The content of one file."""

    is_sure = True  # whether the server has said where the content that came last ends

    def get(self, file: SourceFile, start: int, end: int) -> memoryview:
        """A part of the file, or all of it.

        Raises:
            ObjectStoreError: it did not come whole, or is no longer what was looked at.
        """
        if (start, end) == (0, file.size):
            return memoryview(b"".join(self.stream(file)))
        try:
            with opened(file.path, (start, end - 1)) as answer:
                _check_part(file, answer, start, end)
                content = answer.read(end - start + 1)
        except NoSuchRangeError as error:
            raise NoRangesError(str(error)) from error
        if len(content) != end - start:
            raise ObjectStoreError(f"{file.path}: {len(content):,} of {end - start:,} bytes came")
        return memoryview(content)

    def stream(self, file: SourceFile) -> Iterator[bytes]:
        """All of the file; an error at the end says that it was not whole.

        Raises:
            ObjectStoreError: as of ``get``.
        """
        with opened(file.path) as answer:
            if answer.status not in (200, 203):
                raise ObjectStoreError(
                    f"{file.path}: the server said {answer.status} {answer.reason}"
                )
            _check_identity(file, answer)
            decoder = _decoder(file.name, answer.headers)
            length, came, given = _length_of(answer), 0, 0
            self.is_sure = length >= 0 or answer.chunked or bool(decoder)
            while piece := answer.read(CHUNK):
                came += len(piece)
                for content in decoder.more(piece) if decoder else (piece,):
                    given += len(content)
                    yield content
        if length >= 0 and came != length:
            raise ObjectStoreError(f"{file.path}: {came:,} of {length:,} bytes came")
        if decoder and not decoder.is_at_end:
            raise ObjectStoreError(f"{file.path}: the connection was cut in the middle")
        if file.size >= 0 and given != file.size:
            raise ChangedError(f"{file.path}: {given:,} instead of {file.size:,} bytes")


def _check_part(file: SourceFile, answer: HTTPResponse, start: int, end: int) -> None:
    """See that parts of one content come; a server may send all of it, or another part."""
    headers = answer.headers
    wanted = f"bytes {start}-{end - 1}/"
    is_part = answer.status == 206 and headers.get("Content-Range", "").startswith(wanted)
    if not is_part or headers.get("Content-Encoding"):
        raise NoRangesError(f"{file.path}: the server does not send parts")
    etag = _etag_of(headers)
    if not etag.strip("W/") and not date_of(headers.get("Last-Modified", "")):
        raise NoRangesError(f"{file.path}: nothing says that the parts are of one content")
    if etag.startswith("W/") or file.etag.startswith("W/"):
        raise NoRangesError(f"{file.path}: the server's ETag says nothing about parts")
    total = headers.get("Content-Range", "").rpartition("/")[2]
    if total not in ("*", str(file.size)):
        raise ChangedError(f"{file.path} was replaced meanwhile")
    _check_identity(file, answer)


def _check_identity(file: SourceFile, answer: HTTPResponse) -> None:
    """By the ETag; by the date, where the servers behind a name have an ETag each."""
    etag = _etag_of(answer.headers)
    if etag and etag == file.etag:
        return
    date = date_of(answer.headers.get("Last-Modified", ""))
    is_same = date == file.mtime_ns if date else not (etag and file.etag)
    if not is_same:
        raise ChangedError(f"{file.path} was replaced meanwhile")


class _Decoder:
    """Undoes a ``Content-Encoding`` that was not asked for."""

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._unpacker = zlib.decompressobj(wbits)

    @property
    def is_at_end(self) -> bool:
        return self._unpacker.eof

    def more(self, piece: bytes) -> Iterator[bytes]:
        """What comes out of one more piece, in pieces that are no larger than it may be."""
        while True:
            if self._unpacker.eof:
                if not piece:
                    return
                self._unpacker = zlib.decompressobj(self._wbits)  # gzip may have several members
            try:
                content = self._unpacker.decompress(piece, CHUNK)
            except zlib.error as error:
                raise ObjectStoreError(f"what the server sent is damaged: {error}") from error
            yield content
            piece = self._unpacker.unconsumed_tail or self._unpacker.unused_data
            if not piece and len(content) < CHUNK:
                return


def _decoder(name: str, headers: HTTPMessage) -> _Decoder | None:
    encoding = headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("", "identity") or name.lower().endswith(PACKED):
        return None
    if encoding not in DECODED:
        raise LocationError(
            f"{name}: the server sends it as '{encoding}', although asked for it as it is",
            fix="fetch the file by hand, and name the folder that it is in",
        )
    return _Decoder(DECODED[encoding])
