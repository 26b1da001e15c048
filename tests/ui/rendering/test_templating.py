"""Templates of a language: its texts are in them before there is a page, and nothing is trusted."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from alo.ui.rendering.templating import drawn, environment

HOSTILE = "<script>alert('1')</script>"


def rendered(source: str, language: str = "ko", **values: object) -> str:
    return environment(language).from_string(source).render(**values)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('{{ _("Runs") }}', "실행 목록"),
        ("<a title=\"{{ _('Runs') }}\">", '<a title="실행 목록">'),
        ('{{ _("Runs") ~ _("Feed")|upper }}', "실행 목록피드"),
        ("{{ name|word }}", "실행 목록"),
        ('{{ _("%(changed)s of %(rows)s rows differ", changed=2, rows=3) }}', "3행 중 2행이 다름"),
        ('{{ _("a text of no catalog") }}', "a text of no catalog"),
        ('{% set _ = 1 %}{{ _ }}{{ "(" }}{{ "_(\\"Runs\\")" }}', "1(_(&#34;Runs&#34;)"),
    ],
)
def test_texts_are_those_of_the_language(source: str, text: str) -> None:
    assert rendered(source, name="Runs") == text


def test_a_text_that_the_template_names_is_not_looked_up_for_each_page() -> None:
    korean = environment("ko")
    compiled = korean.compile('{{ _("Runs") }}', raw=True)

    assert "실행 목록" in compiled
    assert "_(" not in compiled.partition("def root")[2].replace("escape(", "")


@pytest.mark.parametrize(
    "source",
    [
        "{{ value }}",
        '{{ _("%(changed)s of %(rows)s rows differ", changed=value, rows=3) }}',
        '{{ _n("%(count)s request, %(same)s with the same result", "", 1, same=value) }}',
        "{{ value|state }}",
    ],
)
def test_values_are_escaped(source: str) -> None:
    assert "<script>" not in rendered(source, value=HOSTILE)


@pytest.mark.parametrize(
    "column", ["pipeline", "status", "start_time", "seconds", "score", "note", "args.a.b"]
)
def test_cells_are_escaped(column: str) -> None:
    shown = rendered("{{ cells|cells }}", cells=[(column, HOSTILE), ("note", {"a": HOSTILE})])

    assert "<script>" not in shown
    assert shown.count("<td") == 2


def test_a_long_text_is_shown_whole_to_who_points_at_it_or_focuses_it() -> None:
    long = '"' + "x" * 31
    shown = rendered("{{ cells|cells }}", cells=[("note", "short"), ("note", long)])

    assert shown.startswith('<td class="cell">short</td>')
    assert f'tabindex="0" title="&quot;{"x" * 31}">&quot;{"x" * 31}</td>' in shown


def test_what_a_page_forgot_to_give_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        rendered("{{ value }}")


def test_a_drawing_is_drawn_once_while_it_shows_the_same() -> None:
    from alo.history.index.pages import Scored
    from alo.ui.drawing.scores import score_chart

    points = (Scored(HOSTILE, "2026", 0.1, "train"), Scored("b", "2026", 0.2, "train"))
    first = drawn("charts/score_chart", "en", "/base", score_chart(points))

    assert drawn("charts/score_chart", "en", "/base", score_chart((*points,))) is first
    assert drawn("charts/score_chart", "ko", "/base", score_chart(points)) != first
    assert '<a href="/base/runs/b"' in first
    assert "<script>" not in first


@pytest.mark.parametrize(
    ("language", "count", "text"),
    [
        ("en", 0, "0 rows"),
        ("en", 1, "1 row"),
        ("en", 1234, "1,234 rows"),
        ("ko", 1, "1행"),
        ("ko", 1234, "1,234행"),
    ],
)
def test_what_is_counted_has_the_form_of_its_number(language: str, count: int, text: str) -> None:
    source = '{{ _n("%(count)s row", "%(count)s rows", count) }}'

    assert rendered(source, language, count=count) == text


@pytest.mark.parametrize(
    ("run", "is_one"),
    [("20260101T090000Z-00000001-churn", True), ("", False), ("current", False), ("none", False),
     ("load-external-model", False)],
)  # fmt: skip
def test_a_word_for_a_model_is_no_runs_id(run: str, is_one: bool) -> None:
    assert rendered("{{ run is run_id }}", run=run) == str(is_one)
