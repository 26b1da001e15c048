"""Fetch the scripts of others that the studio's pages use, as they were released.

Run by hand when a version changes; the files are part of the repository. Each is taken out of its
package as the npm registry has it, whose checksum is compared with the one noted here.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import sys
import tarfile
import urllib.request
from pathlib import Path
from typing import NamedTuple

REGISTRY = "https://registry.npmjs.org"
STATIC = Path(__file__).parents[1] / "src/alo/ui/static/vendor"
AXE = Path(__file__).parents[1] / "tests/ui/axe"


class Package(NamedTuple):
    """A release, its checksum, and which of its files are taken to where."""

    name: str
    version: str
    licence: str
    sha512: str  # of the package, base64, as the registry's `dist.integrity` has it
    files: tuple[str, ...]
    folder: Path


PACKAGES = (
    Package(
        "htmx.org",
        "4.0.1",
        "0BSD",
        "oF7JgXhDW9UXCy/k1ZYFUQgzu/rm19ORWPSPNL91vPluB2PB9+MV55tyQdH/w7o2EAbTYUG5SDW1R60mdkdqGg==",
        ("dist/htmx.min.js", "dist/ext/hx-csp.min.js", "LICENSE"),
        STATIC,
    ),
    Package(
        "axe-core",
        "4.14.1",
        "MPL-2.0",
        "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
        ("axe.min.js", "LICENSE"),
        AXE,
    ),
)


def main() -> int:
    """Fetch all; returns the exit status."""
    for package in PACKAGES:
        content = _fetch(package)
        digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
        if digest != package.sha512:
            sys.stderr.write(f"{package.name}: the checksum is {digest}\n")
            return 1
        _unpack(package, content)
    return 0


def _fetch(package: Package) -> bytes:
    base = package.name.rpartition("/")[2]
    url = f"{REGISTRY}/{package.name}/-/{base}-{package.version}.tgz"
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - https, above
        content: bytes = answer.read()
    return content


def _unpack(package: Package, content: bytes) -> None:
    package.folder.mkdir(parents=True, exist_ok=True)
    taken: dict[str, str] = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for name in package.files:
            member = archive.extractfile(f"package/{name}")
            if member is None:
                raise FileNotFoundError(name)
            text = b"\n".join(
                line for line in member.read().split(b"\n") if b"sourceMappingURL=" not in line
            )
            target = package.folder / Path(name).name
            if target.name == "LICENSE":
                target = target.with_name(f"LICENSE.{package.name}")
            target.write_bytes(text)
            taken[target.name] = hashlib.sha256(text).hexdigest()
    note = {
        "package": package.name,
        "version": package.version,
        "licence": package.licence,
        "sha256": taken,
    }
    (package.folder / f"{package.name}.json").write_text(json.dumps(note, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
