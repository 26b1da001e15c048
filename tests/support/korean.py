"""What of a page is English that a person reads: all texts but names, ids, paths and commands."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib.metadata import distributions

UNREAD = ("script", "style", "code", "pre", "kbd", "datalist", "textarea")  # data, or commands
READ = ("aria-label", "title", "placeholder", "alt")  # attributes
EMPTY = ("input", "img", "br", "meta", "link", "hr")  # elements that have no end
WORD = re.compile(r"[A-Za-z][a-z]{2,}")
NAMES = (
    r"\d{8}T\d{6}Z-\d+-\w+(:\d+)?",  # of runs and records
    r"\b[0-9a-f]{12,32}\b",  # cases and jobs
    r"\balo [a-z][^가-힣]*",
    r"[\w-]*[./@_=][\w./@=-]*",  # paths, files, keys of the plan, data sets
    r"\b(Shift|Enter|Esc|English|McNemar|Cohen|Python|CLASS|COLUMN|FILE|STEP|ARG|VALUE|RUN|ROW)\b",
    r"\b(csv|jsonl|label-studio|utf|curl|False|row|request|folders|review|probability|ui_args|none|all)\b",
    r"\b(string|integer|number)\b",  # types as JSON Schema calls them
)


class Texts(HTMLParser):
    """The texts of a page in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in READ and value]
        if tag not in EMPTY:
            self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._within:
            while self._within.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not any(each in UNREAD for each in self._within):
            self.found.append(data)


def english(page: str, own: str = "") -> list[str]:
    """The texts with English in them.

    Args:
        own: names that the project has given, with a space between them.
    """
    texts, found = Texts(), []
    texts.feed(page)
    packages = {name for each in distributions() if (name := each.metadata["Name"])}
    known = {word.lower() for name in (own, *packages) for word in re.split(r"[\s_.-]", name)}
    for text in texts.found:
        left = text
        for each in NAMES:
            left = re.sub(each, " ", left, flags=re.ASCII)
        if any(word.lower() not in known for word in WORD.findall(left)):
            found.append(" ".join(text.split()))
    return list(dict.fromkeys(found))
