from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from alo.json_text import json_bytes, json_text

ANY_TEXT = st.text(st.characters(exclude_categories=()))


def joined(text: str) -> str:
    """As JSON has it, where two surrogates that make a letter are that letter."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


@given(ANY_TEXT)
def test_any_text_is_utf8_and_comes_back(text: str) -> None:
    content = json_bytes({"text": text, text: 1})

    assert json.loads(content.decode()) == {"text": joined(text), joined(text): 1}
    assert json_text(text).encode() == json_bytes(text)


def test_letters_are_as_they_are_and_lone_surrogates_are_escapes() -> None:
    assert json_bytes("한글 \udcb0", indent=1) == '"한글 \\udcb0"'.encode()
