"""``read_custom_config``: a file of settings that comes with the input data."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from alolib.errors import PathError


def read_custom_config(folder: str, name: str) -> Any:
    """A file below ``folder``: ``.ini`` as a ``ConfigParser``, ``.yaml`` as a dict.

    Raises:
        PathError: it is not there, of another kind, or not what its suffix says.
    """
    # As text: a name that begins with a / is below the folder all the same.
    path = name if name.startswith(folder) else folder + name.lstrip("/")
    if not os.path.isfile(path):
        raise PathError(f"there is no file {name} in the input data", where=path)
    read = READERS.get(os.path.splitext(path)[1].lower())
    if read is None:
        raise PathError(
            f"{name} is neither .ini nor .yaml", where=path, fix="read other files yourself"
        )
    try:
        with open(path, encoding="utf-8-sig") as file:
            return read(file.read())
    except (OSError, ValueError) as error:  # UnicodeDecodeError too
        raise PathError(f"{name} cannot be read: {error}", where=path) from error


def _ini(text: str) -> object:
    from configparser import ConfigParser, Error

    parser = ConfigParser()
    try:
        parser.read_string(text)
    except Error as error:
        raise ValueError(error) from error
    return parser


def _yaml(text: str) -> object:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(error) from error
    except RecursionError:
        raise ValueError("nested too deeply") from None


READERS: Mapping[str, Callable[[str], object]] = {".ini": _ini, ".yaml": _yaml, ".yml": _yaml}
