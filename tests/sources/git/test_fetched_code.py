"""Fetched code holds no link that leads out of it."""

from __future__ import annotations

import os

import pytest

from alo.errors import SourceError
from alo.layout import Workspace

from ..repositories import ASSET, Repository
from .conftest import Bring, step

pytestmark = pytest.mark.usefixtures("cache")


def test_a_link_out_of_the_folder_is_refused(
    workspace: Workspace, repository: Repository, bring: Bring
) -> None:
    os.symlink("helper.py", repository.folder / "inside")
    repository.commit({})
    bring(step(repository.folder))
    assert os.readlink(workspace.asset("train") / "inside") == "helper.py"
    os.symlink("../../../etc/passwd", repository.folder / "out")
    repository.commit({})

    with pytest.raises(SourceError, match=r"a link that leads out .*: out → \.\./\.\./\.\./etc"):
        bring(step(repository.folder), every=True)


@pytest.mark.parametrize("target", [".", "sub/..", "sub"])
def test_a_link_to_the_folder_itself_stays_inside(
    workspace: Workspace, repository: Repository, bring: Bring, target: str
) -> None:
    os.symlink(target, repository.folder / "itself")
    repository.commit({"sub/x": "1"})

    bring(step(repository.folder))

    assert os.readlink(workspace.asset("train") / "itself") == target


def test_a_link_out_of_the_named_folder_is_refused_though_it_stays_in_the_repository(
    workspace: Workspace, repository: Repository, bring: Bring
) -> None:
    repository.commit({"steps/train/asset_train.py": ASSET, "steps/common.py": ""})
    os.symlink("../common.py", repository.folder / "steps/train/common.py")
    repository.commit({})

    with pytest.raises(SourceError, match=r"a link that leads out .*: common\.py → \.\./common"):
        bring(step(repository.folder, path="./steps//train/"))
