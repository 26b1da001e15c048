"""Which package to install for a module."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

# Import names whose package has another name on the package index.
PACKAGES = {
    "cv2": "opencv-python",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "yaml": "PyYAML",
    "bs4": "beautifulsoup4",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "attr": "attrs",
    "Crypto": "pycryptodome",
    "serial": "pyserial",
    "OpenSSL": "pyOpenSSL",
    "umap": "umap-learn",
    "docx": "python-docx",
    "faiss": "faiss-cpu",
    "fitz": "PyMuPDF",
    "git": "GitPython",
    "jwt": "PyJWT",
    "Levenshtein": "python-Levenshtein",
    "mpl_toolkits": "matplotlib",
    "pkg_resources": "setuptools",
}


OURS = ("alo", "alolib")
OF_ALO_1 = ("common", "exception")
INSTALLED_IN = Path(__file__).parents[3]
GUIDE = "see docs/getting-started/from-alo-2.md"


def unknown_part(module: str) -> str:
    """What is wrong with an import of a module that ``alo`` or ``alolib`` does not have."""
    top, _, rest = module.partition(".")
    part = rest.partition(".")[0]
    if not part or top not in OURS:
        return ""
    if _has_part(top, part):
        return ""
    if top == "alolib" and part in OF_ALO_1:
        return f"an asset of ALO 1, which had {top}.{part}: {GUIDE}"
    return f"{top} has no module '{part}'; assets import alolib.asset: {GUIDE}"


@cache
def _has_part(package: str, part: str) -> bool:
    """Whether a package of ours has this module; every asset asks for the same one."""
    place = os.path.join(INSTALLED_IN, package, part)
    return os.path.isfile(f"{place}.py") or os.path.isdir(place)


def advice_for(module: str, step: str = "") -> str:
    """What to do about a module that is not there.

    Names on a package index belong to whoever took them, so that none is advised to be installed
    only because a module, which may be the user's own, has that name.
    """
    package = package_of(module)
    named = f" ({package})" if package != module.partition(".")[0] else ""
    folder = f"assets/{step}/" if step else "the asset's folder"
    return (
        f"name its package{named} in the step's requirements (asset_source in the plan), "
        f"or put the module into {folder}"
    )


def package_of(module: str) -> str:
    """The package to install for an import name."""
    top = module.partition(".")[0]
    return PACKAGES.get(top, top)
