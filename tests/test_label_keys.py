"""No key of a command, no digit and no word gives a label."""

from __future__ import annotations

import pytest

from alo.label_keys import wrong_label_key


@pytest.mark.parametrize("key", ["b", "B", "ㅠ", "é", "#"])
def test_a_letter_that_is_no_command_gives_a_label(key: str) -> None:
    assert wrong_label_key(key) == ""


@pytest.mark.parametrize("key", [*"asfnzjki.+-", "A", "0", "7", "٣", "", "ab", " ", "\x07"])
def test_commands_digits_and_what_is_no_letter_do_not(key: str) -> None:
    assert wrong_label_key(key)
