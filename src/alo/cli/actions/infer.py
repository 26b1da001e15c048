"""``alo infer``: what was typed becomes a batch, which is run and shown."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from alo.batch.shards.batch import BatchOptions, name_taken, run_batch
from alo.batch.shards.definition import (
    BISECT,
    FILES,
    ROWS,
    SHARDS,
    SKIP,
    Definition,
    Tolerance,
)
from alo.batch.shards.record import BatchFolder, names_of_batches
from alo.cli.output.infer_live import infer_display
from alo.data.location import is_remote, locate
from alo.engine.request import RunRequest, Setup
from alo.errors import UsageError
from alo.executors.finding import with_executor
from alo.history.ids import utc_text
from alo.layout import Workspace
from alo.plan.suggest import did_you_mean
from alo.texts import is_plain_name

UNITS = {SHARDS: "--shards N", ROWS: "--rows-per-shard M", FILES: "--files-per-shard M"}
FIXED = ("words", "set", "system", "config", "model", *UNITS)  # that a batch keeps


def run(options: argparse.Namespace, setup: Setup) -> int:
    """Run a batch; returns the exit status."""
    workspace = Workspace(options.project)
    if options.resume and options.restart:
        raise UsageError(
            "--resume and --restart contradict each other", fix="leave one of them out"
        )
    known = options.resume or options.restart
    definition = _known(workspace, options, known) if known else _new(workspace, options)
    request = RunRequest(
        home=options.project,
        config=Path(definition.config) if definition.config else None,
        system=definition.system,
        mode="inference",
        overrides=definition.overrides,
        wait=not options.no_wait,
        setup=setup,
    )
    with infer_display(definition.name, as_json=options.json) as display:
        request, transfer = with_executor(request, options.computing, options.transfer)
        batch_options = BatchOptions(
            jobs=options.jobs,
            computing=request.computing,
            transfer=transfer,
            resumes=bool(options.resume),
            anew=bool(options.restart),
        )
        outcome = run_batch(workspace, definition, request, batch_options, display, display.watch)
        display.finished(outcome)
    return 0 if outcome.is_complete else 1


def _new(workspace: Workspace, options: argparse.Namespace) -> Definition:
    sources, name = _sources_and_name(options.words)
    units = [unit for unit in UNITS if getattr(options, unit) is not None]
    if len(units) != 1:
        raise UsageError(
            "how is the input to be cut?", fix=f"add one of {', '.join(UNITS.values())}"
        )
    if name and BatchFolder(workspace, name).exists:
        raise name_taken(name)
    return Definition(
        name=name or _free_name(workspace),
        cut=(units[0], getattr(options, units[0])),
        sources=tuple(sources),
        overrides=tuple(options.set),
        system=_kept_place(options.system or ""),
        config=os.path.abspath(options.config) if options.config else "",
        model=options.model or "",
        out=_external(options.out) if options.out else None,
        tolerance=_tolerance(options, Tolerance()),
        created=utc_text(time.time()),
    )


def _known(workspace: Workspace, options: argparse.Namespace, name: str) -> Definition:
    """A batch as it is on record, with what may be another way each time."""
    folder = BatchFolder(workspace, name)
    if not folder.exists:
        raise UsageError(
            f"there is no batch '{name}'; {did_you_mean(name, names_of_batches(workspace))}",
            fix="begin one: alo infer --shards N",
        )
    given = [each for each in FIXED if getattr(options, each)]
    if given:
        raise UsageError(
            f"batch '{name}' has its own input, model, args and cut, which stay as they were",
            fix="leave sources, --shards, --rows-per-shard, --files-per-shard, --set, --system, "
            "--config and --model out, or begin another batch",
        )
    definition = folder.definition()
    return replace(
        definition,
        tolerance=_tolerance(options, definition.tolerance),
        out=_external(options.out) if options.out else definition.out,
    )


def _tolerance(options: argparse.Namespace, before: Tolerance) -> Tolerance:
    """What may fail: as typed now, and else as before."""
    on_error = options.on_error or before.on_error
    for given, mode, option in (
        (options.max_failed_shards, SKIP, "--max-failed-shards"),
        (options.max_bad_rows, BISECT, "--max-bad-rows"),
    ):
        if given is not None and on_error != mode:
            raise UsageError(f"{option} is for --on-error {mode}", fix=f"add --on-error {mode}")
    return Tolerance(
        on_error=on_error,
        failed_shards=_first(options.max_failed_shards, before.failed_shards),
        bad_rows=_first(options.max_bad_rows, before.bad_rows),
        row_check=_first(options.row_check, before.row_check),
    )


def _first(given: int | None, before: int) -> int:
    return before if given is None else given


def _sources_and_name(words: Sequence[str]) -> tuple[list[str], str]:
    """Sources as a later command in another folder finds them, and a name; empty: none was given.

    A last word that is no path, and names nothing that is there, is the name.

    Raises:
        UsageError: it may have been meant as either.
    """
    *sources, last = words or [""]
    is_path = not last or "/" in last or is_remote(last) or os.path.exists(last)
    if is_path:
        return [_external(each) for each in (*sources, last) if each], ""
    _refuse_mistyped(last)
    return [_external(each) for each in sources], last


def _refuse_mistyped(word: str) -> None:
    """See that a word which is nothing that is there is not meant to be."""
    near = [each for each in get_close_matches(word, os.listdir(), 1, 0.75) if _differ(word, each)]
    if "." not in word and is_plain_name(word) and not near:
        return
    as_name = f"too much like '{near[0]}', which is one" if near else "not as names are"
    raise UsageError(
        f"'{word}': no file or folder is called so here, and as a name for the batch it is "
        f"{as_name}",
        fix="correct the path; or take another name, of letters, digits, '-' and '_'",
    )


def _differ(word: str, entry: str) -> bool:
    """Whether they differ in more than a number at the end, as names of batches do."""
    return word.rstrip("0123456789-_") != entry.rstrip("0123456789-_")


def _external(place: str) -> str:
    """What a typed place means, which is what it would in the plan, but for where it starts.

    Raises:
        LocationError: it has no meaning, or one that was hardly meant.
    """
    if os.path.lexists(place) and not is_remote(place):  # also with a space around its name
        return os.path.abspath(place)
    found = locate(Path.cwd(), place)
    return str(found) if isinstance(found, Path) else found.url + "/" * found.is_folder


def _kept_place(place: str) -> str:
    """A path or a URL, or JSON, as a later command in another folder finds it."""
    is_text = not place or place.lstrip().startswith(("{", "["))
    return place if is_text or is_remote(place) else os.path.abspath(os.path.expanduser(place))


def _free_name(workspace: Workspace) -> str:
    known = set(names_of_batches(workspace))
    number = next(each for each in range(1, len(known) + 2) if f"batch-{each}" not in known)
    return f"batch-{number}"
