"""An S3 server for the tests of what goes through a bucket."""

from __future__ import annotations

from tests.data.object_store import bucket, moto, proxy

__all__ = ["bucket", "moto", "proxy"]  # fixtures
