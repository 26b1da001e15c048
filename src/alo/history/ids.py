"""The names of runs, of args, and of moments."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache

from alo.layout import slug
from alo.plan.values import plan_form

LONGEST_NAME = 150  # bytes of a solution's name in a run id; a file system takes 255 in all
# Texts: a run needs neither, and each takes longer to compile than most modules to import.
_STAMP = r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z"
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"


def new_run_id(solution: str, started: float) -> str:
    """``<YYYYmmddTHHMMSSZ>-<8 random digits>-<the solution's name>``, an entry's name."""
    stamp = stamp_of(int(started))
    digits = int.from_bytes(os.urandom(8), "big") % 10**8
    return f"{stamp}-{digits:08}-{_name_in_id(solution)}"


@lru_cache(maxsize=1)
def stamp_of(second: int) -> str:
    """Seconds since 1970 as ``YYYYmmddTHHMMSSZ``."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))


@lru_cache(maxsize=4)
def _name_in_id(solution: str) -> str:
    name = slug(solution).encode()[:LONGEST_NAME].decode(errors="ignore")
    # The end of an entry's name means something else then.
    return f"{name}_" if name.endswith("-error") else name


def param_id(args: Mapping[str, Mapping[str, object]]) -> str:
    """12 hex digits over the args of all steps; the order of keys makes no difference."""
    from alo.files import checksum_of

    return checksum_of(plan_form(args).encode())[:12]


def utc_text(moment: float) -> str:
    """Seconds since 1970 as ``YYYY-mm-ddTHH:MM:SS.ffffffZ``."""
    seconds, micro = divmod(round(moment * 1_000_000), 1_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{micro:06}Z"


def utc_now() -> str:
    """Now, as ``YYYY-mm-ddTHH:MM:SSZ``."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def is_utc_text(text: str) -> bool:
    """Whether a text is what ``utc_text`` makes."""
    return re.fullmatch(_TIME, text) is not None


def dataset_of(sources: Sequence[str]) -> str:
    """The version of a data set that data came from, NAME@V; empty: it came from none, or several.

    Args:
        sources: paths, as a run's record has them.
    """
    found = {
        f"{parts[at + 1]}@{parts[at + 2]}"
        for parts in (source.split("/") for source in sources)
        for at, part in enumerate(parts[:-2])
        if part == "datasets" and parts[at + 2][:1] == "v" and parts[at + 2][1:].isdigit()
    }
    return next(iter(found)) if len(found) == 1 else ""


def start_in_name(run_id: str) -> str:
    """The start time that a run id begins with, to the second; empty if it begins otherwise."""
    stamp = re.match(_STAMP, run_id)
    return "{}-{}-{}T{}:{}:{}.000000Z".format(*stamp.groups()) if stamp else ""
