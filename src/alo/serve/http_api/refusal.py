"""A request over HTTP that is answered with a status instead of a result."""

from collections.abc import Mapping


class RefusedError(Exception):
    """Raised wherever it is found.

    Args:
        limit: the limit of the service that was reached, for its metrics; empty: none was.
    """

    def __init__(
        self,
        status: int,
        what: str,
        headers: Mapping[str, str] | None = None,
        *,
        limit: str = "",
    ) -> None:
        super().__init__(what)
        self.status, self.what, self.limit = status, what, limit
        self.headers = dict(headers or {})
