"""Which package to install for a module."""

from __future__ import annotations

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


def package_of(module: str) -> str:
    """The package to install for an import name."""
    top = module.partition(".")[0]
    return PACKAGES.get(top, top)
