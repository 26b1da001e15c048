"""Who called the asset API: the first frame outside of this package."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from types import FrameType

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")


def calling_frame() -> FrameType:
    """The innermost frame that is not of this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(HERE):
        frame = frame.f_back
    return frame


def place_of_caller() -> str:
    """``assets/train/asset_train.py:42, in run()``."""
    frame = calling_frame()
    code = frame.f_code
    return f"{place_of(code.co_filename, frame.f_lineno)}, in {code.co_name}()"


@lru_cache(maxsize=1024)
def place_of(file: str, line: int) -> str:
    """A file's last three parts and the line: ``assets/train/asset_train.py:42``."""
    return f"{'/'.join(file.split(os.sep)[-3:])}:{line}"


def place_of_run(user_asset: object, method: str = "run") -> str:
    """Where a class has its ``run``, for errors that no frame of its own names."""
    found = getattr(user_asset, method, None)
    code = getattr(getattr(found, "__wrapped__", found), "__code__", None)
    return place_of(code.co_filename, code.co_firstlineno) if code else ""


def place_of_class(user_asset: type) -> str:
    """Where a class is defined: its file, and the line where its name is given."""
    import linecache
    import re

    file = getattr(sys.modules.get(user_asset.__module__), "__file__", None)
    if not file:
        return ""
    named = re.compile(rf"\s*(class\s+{user_asset.__name__}\b|{user_asset.__name__}\s*[:=])")
    lines = enumerate(linecache.getlines(file), 1)
    return place_of(file, next((number for number, line in lines if named.match(line)), 1))
