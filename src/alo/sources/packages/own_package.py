"""ALO itself in the environments that it makes: what it needs, and how it is found there."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alo.errors import InstallError
from alo.sources.packages.installed import requires_of
from alo.sources.packages.requirements import Requirement, normal_name
from alo.sources.packages.trial import packages_of

DISTRIBUTION = "open-alo"
RUNTIME_EXTRAS = {"remote": "obstore", "loop": "redis", "serve": "starlette"}  # extra → module


def engine_requirements() -> list[Requirement]:
    """What ALO itself needs, and the extras of its that are in use here."""
    from importlib.metadata import PackageNotFoundError, requires
    from importlib.util import find_spec

    try:
        texts = requires(DISTRIBUTION) or []
    except PackageNotFoundError as error:
        raise InstallError(
            "ALO is not installed as a package here, so no environment can be made with it",
            fix=f"pip install {DISTRIBUTION}, or pip install -e in its source folder",
        ) from error
    return _needs(texts, [extra for extra, module in RUNTIME_EXTRAS.items() if find_spec(module)])


def needs_of_alo() -> list[Requirement]:
    """What ALO itself needs in any environment, as far as the metadata at hand says."""
    return _needs(requires_of(DISTRIBUTION, sys.path), [])


def _needs(texts: Sequence[str], extras: Sequence[str]) -> list[Requirement]:
    from packaging.requirements import Requirement as Parsed

    found = []
    for text in texts:
        parsed = Parsed(text)
        marker, parsed.marker = parsed.marker, None
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            found.append(Requirement(str(parsed), normal_name(parsed.name), "", "ALO itself"))
    return found


def link_engine(folder: Path) -> None:
    """Have the environment import ALO from where it is now, and see it as installed."""
    import alolib

    engine = folder / "engine"
    engine.mkdir()
    for package in (package_folder(), str(alolib.__path__[0])):
        os.symlink(package, engine / os.path.basename(package))
    if info := _dist_info():
        os.symlink(info, engine / os.path.basename(info))
    packages = Path(packages_of(folder))
    # Relative, so that the environment also works where the project is moved or mounted to.
    (packages / "alo-engine.pth").write_text(f"{os.path.relpath(engine, packages)}\n")


def package_folder() -> str:
    """The real path of the package ``alo`` that runs."""
    import alo

    return os.path.realpath(alo.__path__[0])


def _dist_info() -> str:
    from importlib.metadata import distribution

    found: Any = distribution(DISTRIBUTION)
    place = getattr(found, "_path", None)  # there is no public name for it
    return os.path.realpath(place) if place else ""
