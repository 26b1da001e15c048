"""Who called the asset API: the first frame outside of this package."""

from __future__ import annotations

import os
import sys
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


def place_of(file: str, line: int) -> str:
    """A file's last three parts and the line: ``assets/train/asset_train.py:42``."""
    return f"{'/'.join(file.split(os.sep)[-3:])}:{line}"


def place_of_run(user_asset: object) -> str:
    """Where a class has its ``run``, for errors that come up only after it has ended."""
    run = getattr(user_asset, "run", None)
    code = getattr(getattr(run, "__wrapped__", run), "__code__", None)
    return place_of(code.co_filename, code.co_firstlineno) if code else ""
