"""Packages for tests: wheels written by hand."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    python: str = "",
    code: str = "",
) -> Path:
    """A wheel of a package that knows its ``VERSION``."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    head = [f"Name: {name}", f"Version: {version}"]
    head += [f"Requires-Dist: {each}" for each in requires]
    head += [f"Requires-Python: {python}"] if python else []
    files = {
        f"{name}/__init__.py": f"VERSION = {version!r}\n{code}",
        f"{info}/METADATA": "\n".join(["Metadata-Version: 2.1", *head, ""]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, text in files.items():
            wheel.writestr(member, text)
        record = "".join(f"{member},,\n" for member in [*files, f"{info}/RECORD"])
        wheel.writestr(f"{info}/RECORD", record)
    return path


def install_by_hand(wheel: Path, site_packages: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site_packages)
