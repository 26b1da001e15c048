"""The AWS profile that a plan names is the one whose keys are used."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.data.location import Access, LocationError
from alo.layout import Workspace

from ..object_store import Bucket, Proxy
from .conftest import StageUrl, staged_tree


def test_the_profile_of_the_plan_is_used(
    workspace: Workspace,
    bucket: Bucket,
    proxy: Proxy,
    stage_url: StageUrl,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket.put("data/x", b"1")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    (tmp_path / "no-config").write_text(
        f"[profile mine]\nregion = eu-west-1\nendpoint_url = {proxy.url}\n"
    )
    (tmp_path / "no-credentials").write_text(
        "[mine]\naws_access_key_id = KEY\naws_secret_access_key = SECRET\n"
    )

    stage_url(f"s3://{bucket.name}/data", access=Access("mine"))

    assert staged_tree(workspace) == {"data/x": b"1"}


def test_a_profile_that_does_not_exist_is_named(proxy: Proxy, stage_url: StageUrl) -> None:
    with pytest.raises(LocationError, match="no AWS profile 'mine'; known: none"):
        stage_url("s3://bucket/data", access=Access("mine"))
