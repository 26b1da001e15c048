"""The code of assets that come from git: what is in ``assets/<step>/``, and bringing it there.

A folder is whole or absent: it is written beside its place and renamed. What was checked out is
noted in ``.alo/sources/<step>.json``; without the note (``.alo/`` may be deleted) a folder is
compared with the commit itself.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from alo.errors import Problem, SourceError
from alo.files import is_leftover, remove_tree, temporary_beside
from alo.layout import Workspace
from alo.plan.model import Plan, StepPlan
from alo.sources.checked_out import (
    Checkout,
    FileState,
    Record,
    differences,
    file_states,
    read_record,
    write_record,
)
from alo.sources.repositories import git_steps, repositories, wanted_checkout, whole_url
from alolib.disk import fix_of

if TYPE_CHECKING:  # git, with subprocess, only where something is fetched
    from alo.sources.clones import Clone
    from alo.sources.git import Git

SHOWN = 5  # edited files that a message names
FETCHES = 8  # repositories at once
Tell = Callable[[str], object]


class Policy(NamedTuple):
    """How eagerly code is fetched."""

    every: bool = False  # look for a newer commit at each run
    force: bool = False  # replace edited files; they are kept in .alo/replaced/
    offline: bool = False  # use only what the cache has


def needs_checkout(workspace: Workspace, step: StepPlan, policy: Policy) -> str:
    """Why a step's code has to be fetched; empty: it is there. Asks neither git nor the network."""
    folder = workspace.asset(step.name)
    if not folder.is_dir():
        return "not there yet"
    if step.source.is_shared:
        return ""
    if (folder / ".git").exists():
        return ""  # the user's own work tree
    record = read_record(workspace, step.name)
    if record is None:
        return "it is not known what its folder holds"
    now = wanted_checkout(workspace, step)
    changes = [
        f"{key} changed: {before or 'none'} → {after or 'none'}"
        for key, before, after in zip(
            ("URL", "branch", "path"), record.checkout[1:4], now[1:4], strict=True
        )
        if before != after
    ]
    return ", ".join(changes) or ("looking for a newer commit" if policy.every else "")


def edited_files(workspace: Workspace, step: str) -> list[str]:
    """The files of a checked-out asset that are not as they were: changed, added or gone."""
    record = read_record(workspace, step)
    return differences(workspace, step, record.files) if record else []


def current_checkouts(workspace: Workspace, steps: Sequence[StepPlan]) -> list[Checkout]:
    """What is checked out now, of the steps whose code comes from git."""
    records = (read_record(workspace, step.name) for step in git_steps(steps))
    return [record.checkout for record in records if record]


def bring_sources(
    workspace: Workspace,
    steps: Sequence[StepPlan],
    policy: Policy,
    tell: Tell,
    commits: Mapping[str, str] | None = None,
) -> None:
    """Have the code of these steps in their folders.

    Args:
        tell: takes a line for each step that something is done for.
        commits: of the lock file, by step: these and no others.
    Raises:
        SourceError: code cannot be fetched, or would replace edited files. What was in the folder
            of that step is still there.
    """
    wanted = commits or {}
    due = []
    for step in git_steps(steps):
        _put_in_order(workspace.asset(step.name))
        reason = needs_checkout(workspace, step, policy)
        record = read_record(workspace, step.name)
        locked = wanted.get(step.name, "")
        if not reason and locked and record and record.checkout.commit != locked:
            reason = f"the lock file has commit {locked[:12]}"
        if reason:
            due.append(_Due(step, reason, locked))
        elif edited := edited_files(workspace, step.name):
            tell(f"step {step.name}: edited files are used as they are: {_listed(edited)}")
    if due:
        _fetch(workspace, due, policy, tell)


def check_remote(workspace: Workspace, plan: Plan) -> list[Problem]:
    """What is wrong with the repositories of a plan, asked over the network."""
    from concurrent.futures import ThreadPoolExecutor

    steps = repositories(plan.pipelines)

    def check(step: StepPlan) -> Problem | None:
        try:
            _clone(workspace, step, git).bring(step.source.branch)
        except SourceError as error:
            told = f"{error.what}: {error.fix}" if error.fix else error.what
            return plan.source_problem(step, told)
        return None

    with _stoppable_git() as git, ThreadPoolExecutor(FETCHES, "git") as pool:
        return [problem for problem in pool.map(check, steps) if problem]


class _Due(NamedTuple):
    step: StepPlan
    reason: str
    commit: str  # that the lock file wants; empty: what the branch is


@contextmanager
def _stoppable_git() -> "Iterator[Git]":
    """git, which ends when the user interrupts us."""
    from alo.sources.git import Git

    git = Git()
    try:
        yield git
    except BaseException:
        git.stop()
        raise


def _fetch(workspace: Workspace, due: Sequence[_Due], policy: Policy, tell: Tell) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with _stoppable_git() as git, ThreadPoolExecutor(FETCHES, "git") as pool:
        try:
            jobs = {}
            for each in due:
                clone = _clone(workspace, each.step, git)
                key = (clone.url, each.commit or each.step.source.branch)
                if key not in jobs:
                    jobs[key] = pool.submit(clone.bring, key[1], offline=policy.offline)
            for each in due:
                clone = _clone(workspace, each.step, git)
                commit = jobs[clone.url, each.commit or each.step.source.branch].result()
                _check_out(workspace, each, clone, commit, policy, tell)
        except BaseException:
            git.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _check_out(
    workspace: Workspace, due: _Due, clone: "Clone", commit: str, policy: Policy, tell: Tell
) -> None:
    step, folder = due.step, workspace.asset(due.step.name)
    wanted = wanted_checkout(workspace, step)._replace(commit=commit)
    record = read_record(workspace, step.name)
    if record and record.checkout == wanted and folder.is_dir():
        return
    fresh = temporary_beside(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        clone.export(commit, step.source.path, fresh, offline=policy.offline)
        _refuse_bad_links(fresh, step)
        _refuse_without_asset(fresh, step)
        files = file_states(fresh)
        _replace(workspace, step, fresh, files, record, policy, tell)
        write_record(workspace, step.name, Record(wanted, file_states(folder)))
    except OSError as error:
        raise SourceError(
            f"the code of step '{step.name}' cannot be checked out: {error.strerror}",
            where=str(error.filename or folder),
            fix=fix_of(error),
        ) from error
    finally:
        remove_tree(fresh)
    at = f"{commit[:12]}{f' ({step.source.branch})' if step.source.branch else ''}"
    tell(f"step {step.name}: {wanted.url} at {at} is in assets/{step.name}/ ({due.reason})")


def _replace(
    workspace: Workspace,
    step: StepPlan,
    fresh: Path,
    files: Mapping[str, FileState],
    record: Record | None,
    policy: Policy,
    tell: Tell,
) -> None:
    """Put a fresh folder in the place of the asset's."""
    folder = workspace.asset(step.name)
    aside = _aside(folder)
    if folder.is_dir():
        edited = differences(workspace, step.name, record.files if record else files)
        if edited and not differences(workspace, step.name, files):
            edited = []  # killed before the note was written
        if edited and not policy.force:
            raise _edited_error(step, folder, edited)
        if edited:
            stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            kept = workspace.internal / "replaced" / f"{step.name}-{stamp}-{os.urandom(2).hex()}"
            kept.parent.mkdir(parents=True, exist_ok=True)
            _copy_tree(folder, kept)
            tell(f"step {step.name}: what was edited is kept in {kept}")
        os.rename(folder, aside)  # put back by _put_in_order, should we be killed now
    os.rename(fresh, folder)
    _sweep_drafts(folder)  # the clone was ours alone, so no other git of it runs any more


def _edited_error(step: StepPlan, folder: Path, edited: Sequence[str]) -> SourceError:
    return SourceError(
        f"the code of step '{step.name}' is to be checked out anew, and these files in its folder "
        f"have been edited: {_listed(edited)}",
        where=str(folder),
        fix="commit them to the repository, or move them away; --force replaces them "
        "(and keeps a copy in .alo/replaced/)",
    )


def _copy_tree(source: Path, target: Path) -> None:
    import shutil

    shutil.copytree(source, target, symlinks=True)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.aside.alo-tmp")


def _put_in_order(folder: Path) -> None:
    """Undo what a kill has left: a folder that was moved aside, and drafts."""
    aside = _aside(folder)
    if os.path.lexists(aside) and not os.path.lexists(folder):
        os.rename(aside, folder)
    _sweep_drafts(folder)


def _sweep_drafts(folder: Path) -> None:
    try:
        names = os.listdir(folder.parent)
    except FileNotFoundError:
        return
    for name in names:
        if is_leftover(name) and name.startswith(f".{folder.name}."):
            with suppress(OSError):  # a git that was left running still writes to it
                remove_tree(folder.parent / name)


def _refuse_bad_links(folder: Path, step: StepPlan) -> None:
    """A link that leads out of the folder could have a run read, or write, anything."""
    root = os.path.realpath(folder)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(parent, name)
            if os.path.islink(path) and (
                os.path.isabs(os.readlink(path))
                or not os.path.realpath(path).startswith(f"{root}{os.sep}")
            ):
                raise SourceError(
                    f"the repository of step '{step.name}' has a link that leads out of the "
                    f"asset's folder: {os.path.relpath(path, folder)} → {os.readlink(path)}",
                    fix="have the file itself in the repository, below the asset's folder",
                )


def _refuse_without_asset(folder: Path, step: StepPlan) -> None:
    from alo.sources.loader import asset_file_names

    names = asset_file_names(step.name)
    if any((folder / name).is_file() for name in names):
        return
    found = sorted(path.relative_to(folder).as_posix() for path in folder.glob("**/asset_*.py"))
    hint = f"; it has {_listed(found)}: name its folder in 'path'" if found else ""
    inside = f"the folder '{step.source.path}'" if step.source.path else "the root"
    raise SourceError(
        f"{inside} of the repository of step '{step.name}' has no {' or '.join(names)}{hint}",
        fix=f"correct 'code', 'branch' or 'path' of the step, or name the file {names[0]}",
    )


def _clone(workspace: Workspace, step: StepPlan, git: "Git") -> "Clone":
    from alo.sources.clones import Clone

    return Clone(whole_url(workspace, step.source.code), git)


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
