"""No key of a command, no digit and no word gives a label."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import alo.ui
from alo.label_keys import COMMANDS, wrong_label_key


@pytest.mark.parametrize("key", ["b", "B", "ㅠ", "é", "#"])
def test_a_letter_that_is_no_command_gives_a_label(key: str) -> None:
    assert wrong_label_key(key) == ""


@pytest.mark.parametrize("key", [*"asfnzjkie.+=-", "A", "0", "7", "٣", "", "ab", " ", "\x07"])
def test_commands_digits_and_what_is_no_letter_do_not(key: str) -> None:
    assert wrong_label_key(key)


def test_every_key_that_a_script_of_the_studio_takes_is_a_command() -> None:
    found: set[str] = set()
    for script in Path(alo.ui.__path__[0], "static").glob("*.js"):
        for table in re.findall(
            r"const (?:COMMANDS|AT_ONCE|KEYS|MOVES) = {(.*?)};", script.read_text(), re.S
        ):
            found.update(re.findall(r'(?:^|[\s,{])"?([^\s"\w]|\w)"?: ', table))

    assert {"a", "e", "j", "=", "0"} <= found
    assert all(wrong_label_key(each) for each in found)
    assert COMMANDS - found == {"g"}  # the grid, by a link
