"""A request over HTTP that is answered with a status instead of a result."""

from collections.abc import Mapping


class Refused(Exception):
    """Raised wherever it is found."""

    def __init__(self, status: int, what: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(what)
        self.status, self.what, self.headers = status, what, dict(headers or {})
