from __future__ import annotations

import pytest

from alo.sources.packages import package_of


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("sklearn.ensemble", "scikit-learn"),
        ("PIL", "pillow"),
        ("yaml", "PyYAML"),
        ("pandas.core", "pandas"),
    ],
)
def test_the_package_of_a_module_is_what_pip_calls_it(module: str, package: str) -> None:
    assert package_of(module) == package
