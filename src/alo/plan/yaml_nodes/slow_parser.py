"""YAML read by PyYAML itself: what libyaml refuses, and machines where there is no libyaml.

Each of the two readers takes texts that the other refuses: PyYAML ``{a:[1, 2]}``, libyaml tabs
between tokens and ``?`` inside a text in brackets. A plan means the same on every machine, so this
one takes both. It is some 20 times as slow as libyaml, and imported only where it is needed.
"""

from __future__ import annotations

from typing import Any

import yaml

BREAKS = "\r\n\x85\u2028\u2029"
BLANKS = " \t"
ENDS = f"\0{BLANKS}{BREAKS}"
BRACKETS = ",[]{}"


class SlowLoader(yaml.SafeLoader):
    """PyYAML's reader, but for tabs and question marks, which it takes as libyaml does."""

    def scan_to_next_token(self) -> None:
        """Skip blanks and comments; beyond PyYAML's own, also tabs that indent nothing."""
        super().scan_to_next_token()
        # Where a key could begin, a tab would be indentation.
        while self.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
            self.forward()
            super().scan_to_next_token()

    def scan_plain(self) -> Any:
        """The text without quotes that begins here; it may have tabs and question marks in it."""
        start = end = self.get_mark()
        text = gap = ""
        while not (gap and self.peek() == "#"):
            word = self._take(self._word_length())
            if not word:
                break
            text, end, self.allow_simple_key = text + gap + word, self.get_mark(), False
            gap = self._gap()
            if not gap or (not self.flow_level and self.column <= self.indent):
                break
        return yaml.ScalarToken(text, True, start, end)

    def scan_flow_scalar(self, style: str) -> Any:
        """The text in quotes that begins here.

        Raises:
            ScannerError: an escape, or half of a pair of them, stands for no character.
        """
        mark = self.get_mark()
        try:
            token = super().scan_flow_scalar(style)
        except (ValueError, OverflowError):
            what = "found an escape that stands for no character"
            raise yaml.scanner.ScannerError(problem=what, problem_mark=mark) from None
        # As JSON writes it, a character may be two escapes: \\ud83d\\ude00.
        joined = token.value.encode("utf-16-le", "surrogatepass")
        try:
            token.value = joined.decode("utf-16-le")
        except UnicodeDecodeError:
            what = "found a lone surrogate (an escape from \\ud800 to \\udfff, half a character)"
            raise yaml.scanner.ScannerError(problem=what, problem_mark=mark) from None
        return token

    def _word_length(self) -> int:
        brackets = BRACKETS if self.flow_level else ""
        length = 0
        while (character := self.peek(length)) not in ENDS + brackets:
            if character == ":" and self.peek(length + 1) in ENDS + brackets:
                break
            length += 1
        return length

    def _gap(self) -> str:
        """What is between two words of one text: blanks as they are, or line breaks, folded."""
        length = 0
        while self.peek(length) in BLANKS:
            length += 1
        blanks = self._take(length)
        if self.peek() not in BREAKS:
            return blanks
        first = self._line_break()
        self.allow_simple_key = True
        more = ""
        while not self._is_document_mark():
            while self.peek() == " " or (self.peek() == "\t" and self.column > self.indent):
                self.forward()
            if self.peek() not in BREAKS:
                return (first if first != "\n" else "" if more else " ") + more
            more += self._line_break()
        return ""

    def _is_document_mark(self) -> bool:
        return self.column == 0 and self.prefix(3) in ("---", "...") and self.peek(3) in ENDS

    def _line_break(self) -> str:
        text: str = self.scan_line_break()  # type: ignore[no-untyped-call]
        return text

    def _take(self, length: int) -> str:
        text: str = self.prefix(length)
        self.forward(length)
        return text
