"""The folders of a step (spec 4): absolute, and ending with ``/``: assets join them as text."""

from __future__ import annotations

import os
from collections.abc import Sequence

from alolib.advice import COMMAND, NO_MODEL, SERVICE
from alolib.disk import fix_of
from alolib.errors import PathError

MODELS = "train_artifacts/models/"


def make_folder(folder: str) -> None:
    """Make a folder where there is none, and those that it is in; mostly it alone is missing.

    Raises:
        OSError: it cannot be made.
    """
    try:
        os.mkdir(folder)
    except OSError:
        os.makedirs(folder, exist_ok=True)


def made(folder: str) -> str:
    """The folder, which is there afterwards."""
    try:
        make_folder(folder)
    except OSError as error:
        raise PathError(
            f"the folder {folder} cannot be made: {error.strerror}",
            where=str(error.filename or folder),
            fix=fix_of(error),
        ) from error
    return folder


def train_model_folder(models: str, step: str, steps: Sequence[str]) -> str:
    """The folder below ``models`` that a train step writes its model to.

    Args:
        models: ``{home}/train_artifacts/models/``.
        steps: the names of the pipeline's steps.
    """
    return f"{models}{step if _digits_matter(step, steps) else without_digits(step)}/"


def inference_model_folder(
    home: str, step: str, steps: Sequence[str], train_steps: Sequence[str], caller: str = COMMAND
) -> str:
    """The folder of the train run's model that belongs to an inference step.

    Args:
        home: the project's folder.
        caller: who runs the step, for advice.
    Raises:
        PathError: there is none, or it holds nothing.
    """
    own, names = step, [without_digits(step)]
    if names == ["inference"]:
        own, names = step.replace("inference", "train"), ["train"]
    if _digits_matter(step, steps) or _digits_matter(own, train_steps):
        names.insert(0, own)
    folders = [f"{MODELS}{name}/" for name in dict.fromkeys(names)]
    for folder in folders:
        if os.path.isdir(home + folder) and os.listdir(home + folder):
            return home + folder
    state = "holds nothing" if os.path.isdir(home + folders[-1]) else "is not there"
    raise PathError(
        f"step '{step}' has no model: its folder {state}",
        # A service works in a folder of its own, which means nothing to anyone.
        where=" or ".join(folder if caller == SERVICE else home + folder for folder in folders),
        fix=NO_MODEL[caller],
    )


def without_digits(name: str) -> str:
    """A step's name without its digits; the whole name where nothing else is in it."""
    return "".join(char for char in name if not char.isdigit()) or name


def _digits_matter(step: str, steps: Sequence[str]) -> bool:
    """Whether two steps of a pipeline differ only in digits, so that each has its own folder."""
    bare = without_digits(step)
    return sum(without_digits(name) == bare for name in steps) > 1
