"""What Python keeps for a process, and how each thing is read and put back.

Here: what is one for all modules. Not here: what a library keeps to itself, such as the seeds of
random numbers, options of pandas, the backend of matplotlib: one step may set that for the others.
"""

from __future__ import annotations

import builtins
import gc
import os
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import ModuleType
from typing import Any

from alo.engine.isolation.logging_state import (
    LoggerState,
    read_loggers,
    read_root,
    write_logger,
    write_root,
)
from alo.engine.isolation.settings_of_system import ABSENT, Setting, single, together

SYS_VALUES = (
    *("stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__"),
    *("path", "meta_path", "path_hooks", "argv", "warnoptions", "modules"),
    *("excepthook", "displayhook", "breakpointhook", "unraisablehook", "tracebacklimit"),
    *("dont_write_bytecode", "pycache_prefix", "exit", "ps1", "ps2"),
)
SYS_LISTS = ("path", "meta_path", "path_hooks", "argv", "warnoptions")
DECIMAL_VALUES = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp", "traps", "flags")
HAS_DIGITS = hasattr(sys, "set_int_max_str_digits")  # a late 3.10


def _values(owner: ModuleType, names: Sequence[str]) -> Setting:
    known = vars(owner)

    def read() -> dict[str, Any]:
        return {name: known[name] for name in names if name in known}

    return Setting(read, lambda name, value: _set(owner, name, value))


def _set(owner: object, name: str, value: Any) -> None:
    if value is ABSENT:
        delattr(owner, name)
    else:
        setattr(owner, name, value)


def _write_list(name: str, value: list[Any]) -> None:
    getattr(sys, name)[:] = value


def _write_digits(value: int) -> None:
    if HAS_DIGITS:
        sys.set_int_max_str_digits(value)


def _read_stack_size() -> int:
    size = threading.stack_size()  # which sets it to the usual
    threading.stack_size(size)
    return size


def _write_filters(value: list[Any]) -> None:
    with warnings.catch_warnings():  # its end makes Python look at all filters anew
        pass
    warnings.filters[:] = value  # type: ignore[index]


def _write_gc(value: tuple[bool, tuple[int, ...], int]) -> None:
    is_enabled, thresholds, flags = value
    (gc.enable if is_enabled else gc.disable)()
    gc.set_threshold(*thresholds)
    gc.set_debug(flags)


def _read_decimal() -> dict[str, Any]:
    return _decimal_values(repr(sys.modules["decimal"].getcontext())).copy()


@lru_cache(maxsize=8)
def _decimal_values(text: str) -> dict[str, Any]:
    """The values of the context that is shown so, which is the one in use."""
    context = sys.modules["decimal"].getcontext()
    values = ((name, getattr(context, name)) for name in DECIMAL_VALUES)
    return {name: value if isinstance(value, int | str) else dict(value) for name, value in values}


def _write_decimal(name: str, value: Any) -> None:
    setattr(sys.modules["decimal"].getcontext(), name, value)


def _read_loop() -> dict[str, Any]:
    policy = sys.modules["asyncio"].get_event_loop_policy()
    return {"policy": policy, "of this thread": dict(vars(getattr(policy, "_local", policy)))}


def _write_loop(name: str, value: Any) -> None:
    """The policy, and the loop that ``get_event_loop()`` gives: ``asyncio.run`` leaves none."""
    asyncio = sys.modules["asyncio"]
    if name == "policy":
        asyncio.set_event_loop_policy(value)
    else:
        policy = asyncio.get_event_loop_policy()
        here = vars(getattr(policy, "_local", policy))
        here.clear()
        here.update(value)


def _of(module: str, name: str) -> Callable[..., Any]:
    """A function of a module that may be imported later."""
    return lambda *values: getattr(sys.modules[module], name)(*values)


def _read_python() -> dict[str, Any]:
    return {
        "recursion limit": sys.getrecursionlimit(),
        "switch interval": sys.getswitchinterval(),
        "digits of an int": sys.get_int_max_str_digits() if HAS_DIGITS else 0,
        "trace": sys.gettrace(),
        "profile": sys.getprofile(),
        "trace of threads": threading.gettrace(),
        "profile of threads": threading.getprofile(),
        "stack of threads": _read_stack_size(),
        "garbage": (gc.isenabled(), gc.get_threshold(), gc.get_debug()),
        "filters of warnings": list(warnings.filters),
    }


PYTHON_SETTINGS = {
    "sys": _values(sys, SYS_VALUES),
    "lists of sys": Setting(
        lambda: {name: list(getattr(sys, name)) for name in SYS_LISTS}, _write_list
    ),
    "os": _values(os, ["environ", "environb", "_exit"]),
    "python": together(
        _read_python,
        {
            "recursion limit": sys.setrecursionlimit,
            "switch interval": sys.setswitchinterval,
            "digits of an int": _write_digits,
            "trace": sys.settrace,
            "profile": sys.setprofile,
            "trace of threads": threading.settrace,
            "profile of threads": threading.setprofile,
            "stack of threads": threading.stack_size,
            "garbage": _write_gc,
            "filters of warnings": _write_filters,
        },
    ),
    "threading": _values(threading, ["excepthook"]),
    "warnings": _values(warnings, ["showwarning", "formatwarning"]),
    "builtins": Setting(lambda: vars(builtins).copy(), lambda *value: _set(builtins, *value)),
    "decimal": Setting(_read_decimal, _write_decimal, "decimal"),
    "socket": single(
        _of("socket", "getdefaulttimeout"), _of("socket", "setdefaulttimeout"), "socket"
    ),
    "temporary files": Setting(
        lambda: {"tempdir": sys.modules["tempfile"].tempdir},
        lambda name, value: _set(sys.modules["tempfile"], name, value),
        "tempfile",
    ),
    "multiprocessing": single(
        lambda: sys.modules["multiprocessing"].get_start_method(allow_none=True),
        lambda value: sys.modules["multiprocessing"].set_start_method(value, force=True),
        "multiprocessing",
    ),
    "asyncio": Setting(_read_loop, _write_loop, "asyncio"),
    "faulthandler": single(
        _of("faulthandler", "is_enabled"),
        lambda value: _of("faulthandler", "enable" if value else "disable")(),
        "faulthandler",
    ),
    "logging": Setting(read_root, write_root, "logging"),
    "loggers": Setting(read_loggers, write_logger, "logging", LoggerState()),
}
