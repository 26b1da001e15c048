"""The language of a page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import httpx
import pytest
from babel.messages.pofile import read_po

from alo.ui.rendering import templating
from alo.ui.rendering.language import LOCALES, wanted_language, word
from alo.ui.rendering.templating import environment


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("ko", "ko"),
        ("fr, ko;q=0.5, en;q=0.4", "ko"),
        ("en;q=0.4, ko-KR;q=0.5", "ko"),
        ("ko;q=x, en;q=0.1", "en"),
        (",;;q=," * 500, "en"),
    ],
)
def test_it_is_the_one_of_ours_that_is_wanted_most(header: str, language: str) -> None:
    assert wanted_language(header) == language


def test_every_text_of_the_templates_is_translated_and_compiled() -> None:
    scripts = Path(__file__).parents[3] / "scripts"
    spec = spec_from_file_location("make_catalogs", scripts / "make_catalogs.py")
    assert spec is not None
    assert spec.loader is not None
    make_catalogs = module_from_spec(spec)
    spec.loader.exec_module(make_catalogs)

    for path in make_catalogs.catalogs():
        assert make_catalogs.untranslated(path) == []
        assert path.with_suffix(".mo").read_bytes() == make_catalogs.compiled(path), (
            "run scripts/make_catalogs.py"
        )


def test_what_comes_from_a_run_is_neither_html_nor_a_format() -> None:
    odd = "100%(x)s <b>"

    shown = environment("ko").from_string("{{ odd|word }} {{ 'success'|word }}")

    assert shown.render(odd=odd) == "100%(x)s &lt;b&gt; 성공"
    assert word("ko", "") == ""
    for path in (Path(templating.__file__).parents[1] / "templates").rglob("*.html"):
        assert re.findall(r"\b_\([^\"']", path.read_text()) == [], f"{path.name}: use |word"


def test_a_page_is_korean_for_who_reads_korean(client: httpx.Client) -> None:
    page = client.get("/runs", headers={"Accept-Language": "ko-KR"}).text

    assert "실행 목록" in page
    assert "No runs yet" not in page


@pytest.mark.parametrize("path", sorted(LOCALES.glob("*/LC_MESSAGES/ui.po")))
def test_a_translation_takes_the_values_that_its_text_takes(path: Path) -> None:
    with open(path, "rb") as file:
        formats = [each for each in read_po(file) if "%(" in str(each.id)]

    assert formats
    for message in formats:
        ids, strings = forms(message.id), forms(message.string)
        for text in (*ids, *strings):
            values = dict.fromkeys(re.findall(r"%\((\w+)\)", ids[0]), "here")
            assert text % values
            assert text.count("%(") == ids[0].count("%(")


def forms(text: str | Sequence[str]) -> Sequence[str]:
    """The forms of a text: of one that counts something, those of its numbers."""
    return [text] if isinstance(text, str) else text
