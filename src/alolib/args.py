"""``check_args``: an arg of the plan with a default, and as the type that the asset wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from alolib.advice import COMMAND, MORE_FOR_ARG
from alolib.errors import ArgsError

TRUE = frozenset({"true", "yes", "on", "y", "1"})
FALSE = frozenset({"false", "no", "off", "n", "0", ""})


def check_arg(
    args: Mapping[str, Any],
    key: str,
    is_required: bool,
    default: object,
    type_name: str,
    *,
    step: str,
    place: str,
    caller: str = COMMAND,
) -> Any:
    """The value of an arg.

    Args:
        place: where in the plan the args of the step are, for messages.
        caller: who runs the step, for advice.
    Raises:
        ArgsError: a required arg is missing, the type is unknown, or the value does not convert.
    """
    convert = CONVERSIONS.get(type_name) if isinstance(type_name, str) else None
    if convert is None:
        raise ArgsError(
            f"check_args('{key}') in step '{step}': no type {type_name!r}",
            fix=f"chng_type can be {', '.join(CONVERSIONS)}",
        )
    if is_required and key not in args:
        raise ArgsError(
            f"the arg '{key}' of step '{step}' is required and not in the plan",
            where=place,
            fix=f"add '- {key}: VALUE' to the step's args there"
            f"{MORE_FOR_ARG.get(caller, '')}{_near_miss(key, args)}",
        )
    value = args.get(key)
    is_default = value is None and not is_required
    if value is None:
        value = default if is_default else ""
    if isinstance(value, list):
        return deepcopy(value)  # the plan's own stays as it is
    try:
        return convert(value)
    except (ValueError, TypeError, OverflowError) as error:
        what = f"default of the arg '{key}'" if is_default else f"arg '{key}'"
        raise ArgsError(
            f"the {what} of step '{step}' is {value!r} ({type(value).__name__}), "
            f"which is no {type_name}",
            where="" if is_default else place,
            fix=f"give a value that is one: {EXAMPLES[type_name]}",
        ) from error


def _near_miss(key: str, args: Mapping[str, Any]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, map(str, args), n=1)
    return f", or correct '{near[0]}' if that is the one you mean" if near else ""


def _to_list(value: object) -> list[object]:
    return list(value) if isinstance(value, tuple) else [value]


def _to_int(value: Any) -> int:
    """A whole number; 2.0 is one and 2.5 is not."""
    if isinstance(value, str):
        return int(value)
    whole = int(value)
    if whole != value:
        raise ValueError(value)
    return whole


def _to_bool(value: object) -> bool:
    if isinstance(value, bool | int | float) and value in (0, 1):
        return bool(value)
    word = str(value).strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise ValueError(value)


CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "list": _to_list,
    "str": str,
    "int": _to_int,
    "float": float,
    "bool": _to_bool,
}
EXAMPLES: Mapping[str, str] = {
    "list": "[a, b]",
    "str": "text",
    "int": "5",
    "float": "0.5",
    "bool": "True or False",
}
