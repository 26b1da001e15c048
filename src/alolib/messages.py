"""One line of a log: what it holds and how it is written."""

from time import gmtime, strftime
from typing import NamedTuple


class LogLine(NamedTuple):
    """A message of an asset (``USER``) or of the engine (``ALO``)."""

    time: float  # seconds since 1970, UTC
    source: str  # USER or ALO
    level: str  # INFO, WARNING or ERROR
    file: str  # the file's name, without its folder
    line: int
    function: str
    text: str
    show: bool = False  # repeat it in the table at the end of the run

    def format(self) -> str:
        """As the log files have it: ``[2024-05-05 12:00:00,123|USER|INFO|file(42)|run()] text``."""
        stamp = strftime("%Y-%m-%d %H:%M:%S", gmtime(self.time))
        millis = int(self.time * 1000) % 1000
        place = f"{self.file}({self.line})|{self.function}()"
        return f"[{stamp},{millis:03d}|{self.source}|{self.level}|{place}] {self.text}"
