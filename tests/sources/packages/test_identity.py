"""The same is wanted wherever the project is, as long as what is installed from it is the same."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.plan.model import Plan, Source, StepPlan
from alo.sources.packages.identity import identity
from alo.sources.packages.installed import missing
from alo.sources.packages.requirements import Wanted, read_requirements

from ..wheels import install_by_hand, make_wheel

PLAN = Plan.__new__(Plan, *([None] * len(Plan._fields)))._replace(file="plan.yaml", places={})


def read(home: Path, *requirements: str) -> Wanted:
    step = StepPlan("train", {}, source=Source(requirements=requirements))
    return read_requirements([step], home / "assets", PLAN)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "assets/train/package").mkdir(parents=True)
    (folder / "assets/train/package/pyproject.toml").write_text("[project]\nname='x'\n")
    (folder / "assets/train/package/x.py").write_text("X = 1\n")
    make_wheel(folder / "assets/train", "aloleaf", "1.0")
    return folder


WHEEL = "aloleaf-1.0-py3-none-any.whl"


@pytest.mark.parametrize("text", [WHEEL, "./package", f"aloleaf @ ./{WHEEL}", "six -f ."])
def test_the_place_of_the_project_does_not_matter(home: Path, tmp_path: Path, text: str) -> None:
    before = identity(read(home, text))
    home.rename(tmp_path / "moved")

    assert identity(read(tmp_path / "moved", text)) == before


def touch(home: Path) -> None:
    for path in home.rglob("*"):
        os.utime(path, (1, 1))


def write_beside(home: Path) -> None:
    (home / "assets/train/package/__pycache__").mkdir()
    (home / "assets/train/package/__pycache__/x.pyc").touch()
    (home / "assets/train/package/build").mkdir()
    (home / "assets/train/package/build/x.py").touch()


def change_a_file(home: Path) -> None:
    (home / "assets/train/package/x.py").write_text("X = 2\n")
    make_wheel(home / "assets/train", "aloleaf", "1.0", code="X = 2")


@pytest.mark.parametrize(
    ("change", "text", "is_other"),
    [
        (touch, WHEEL, False),
        (touch, "./package", False),
        (write_beside, "./package", False),
        (change_a_file, WHEEL, True),
        (change_a_file, f"aloleaf @ ./{WHEEL}", True),
        (change_a_file, "./package[extra]", True),
        (change_a_file, "-e ./package", False),  # used as it is at any time
    ],
)
def test_the_content_of_what_is_installed_from_here_does(
    home: Path, change: Callable[[Path], None], text: str, is_other: bool
) -> None:
    before = identity(read(home, text))
    change(home)

    assert (identity(read(home, text)) != before) == is_other


def test_what_has_changed_since_it_was_installed_is_missing(home: Path, tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    install_by_hand(home / "assets/train" / WHEEL, site)
    info = site / "aloleaf-1.0.dist-info"
    place = home / "assets/train" / WHEEL
    (info / "direct_url.json").write_text(f'{{"url": "{place.as_uri()}", "archive_info": {{}}}}')
    wanted = read(home, WHEEL).requirements
    os.utime(place, (1, 1))
    assert missing(wanted, [str(site)]) == []
    os.utime(place, (info.stat().st_mtime + 10,) * 2)

    (lacking,) = missing(wanted, [str(site)])

    assert lacking.why == "it has changed since it was installed"


@pytest.mark.parametrize(
    ("text", "direct"),
    [
        ("git+https://me:pw@host/x.git@v1", ("https://host/x.git", "git", "v1")),
        ("git+ssh://git@host/x.git#egg=x", ("ssh://git@host/x.git", "git", "")),
        ("hg+https://host/x@1", ("https://host/x", "hg", "1")),
    ],
)
def test_what_was_installed_from_a_repository_is_there(
    home: Path, tmp_path: Path, text: str, direct: tuple[str, str, str]
) -> None:
    site = tmp_path / "site-packages"
    install_by_hand(home / "assets/train" / WHEEL, site)
    url, control, revision = direct
    shutil.copy(home / "assets/train" / WHEEL, tmp_path)
    asked = f', "requested_revision": "{revision}"' if revision else ""
    (site / "aloleaf-1.0.dist-info/direct_url.json").write_text(
        f'{{"url": "{url}", "vcs_info": {{"vcs": "{control}"{asked}, "commit_id": "aa"}}}}'
    )

    assert missing(read(home, text).requirements, [str(site)]) == []
    assert missing(read(home, text.replace("host", "other")).requirements, [str(site)])
