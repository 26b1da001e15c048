from __future__ import annotations

import pytest

from alo.sources.code.of_module import advice_for, package_of


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


def test_a_module_of_any_name_is_not_said_to_be_a_package_of_that_name() -> None:
    """Whoever has taken the name on an index would be trusted with the user's machine."""
    advice = advice_for("my_utils.inner", "train")

    assert "my_utils" not in advice
    assert "assets/train/" in advice
    assert "(scikit-learn)" in advice_for("sklearn.ensemble")
