"""What the engine says is Korean on a Korean page, whatever is in its places."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from alo import ui
from alo.ui.rendering.language import LOCALES
from alo.ui.rendering.said import PLACE, said

SOURCES = Path(ui.__file__).parents[1]
SAYING = re.compile(
    r".*(Error|Problem)$|refused_value|not_found|Refuse|Result|Joined|_?refused|_?wrong"
)
SAID = ("what", "fix", "why")  # arguments that have a sentence
SAYERS = (  # modules whose sentences pages show
    "ui/**/*.py",
    "datasets/catalog.py",
    "history/deployment.py",
    "gate/compared.py",
    "history/filters.py",
    "loop/named_columns.py",
    "loop/new_review.py",
    "loop/record_inputs.py",
    "loop/traces/*.py",
    "review/decisions.py",
    "review/deciding.py",
    "review/labels.py",
    "review/results/*.py",
    "review/reviews.py",
    "review/rows.py",
    "serve/rollout/choose.py",
)
OF_COMMANDS = ("ui/server.py", "ui/jobs/supervisor.py")  # read in a terminal alone
# a name, places alone, a command
NO_SENTENCE = re.compile(r"[^ ]*|(x1[: ]*)+|(alo|pip) [^;:]*|Content-Type: .*")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("there is a review 'a'", "'a' 리뷰가 이미 있습니다"),
        ("there is a review 'it's; a'", "'it's; a' 리뷰가 이미 있습니다"),
        ("name: there is a review 'a'", "name: 'a' 리뷰가 이미 있습니다"),
        (
            "it is true or false; the disk is full",
            "참이나 거짓이어야 합니다; 디스크가 가득 찼습니다",
        ),
        ("run-a:0: ada has decided on it since", "run-a:0: 그 뒤로 ada이(가) 판정했습니다"),
        ("nobody has said this", "nobody has said this"),
        (
            "the output has 1 row, the input 2: review.key names the column that joins them",
            "출력은 1행, 입력은 2행입니다. review.key에 둘을 잇는 열을 적으세요",
        ),
        (
            "the output has 3 rows, the input 2: review.key names the column that joins them",
            "출력은 3행, 입력은 2행입니다. review.key에 둘을 잇는 열을 적으세요",
        ),
        ("run a-b is in history no more", "실행 a-b은(는) 이력에 더 이상 없습니다"),
        ("success", "성공"),
        ("", ""),
    ],
)
def test_a_sentence_is_found_by_its_words(text: str, shown: str) -> None:
    assert said("ko", text) == shown
    assert said("en", text) == text


def test_a_translation_has_no_places_but_those_of_its_sentence() -> None:
    for path in LOCALES.glob("*/said.json"):
        for sentence, translated in json.loads(path.read_text()).items():
            assert set(PLACE.findall(translated)) <= set(PLACE.findall(sentence)), sentence


def test_every_sentence_that_a_page_can_show_is_translated() -> None:
    found = {text for pattern in SAYERS for path in SOURCES.glob(pattern) for text in said_in(path)}

    assert len(found) > 150
    assert [text for text in sorted(found) if not re.search("[가-힣]", said("ko", text))] == []


def said_in(path: Path) -> Iterator[str]:
    """The sentences of a module's refusals, with something in their places."""
    if path.relative_to(SOURCES).as_posix() in OF_COMMANDS:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and SAYING.fullmatch(name_of(node.func)):
            given = [*node.args, *(each.value for each in node.keywords if each.arg in SAID)]
            texts = [text for each in given if (text := text_of(each))]
            yield from (text for text in texts if not NO_SENTENCE.fullmatch(text))


def name_of(called: ast.expr) -> str:
    return getattr(called, "id", "") or getattr(called, "attr", "")


def text_of(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            text_of(each) if isinstance(each, ast.Constant) else "x1" for each in node.values
        )
    return ""
