"""The code of assets that come from git: what is in ``assets/<step>/``, and bringing it there.

A folder is whole or absent: it is written next to its place, looked at, and renamed. What was
checked out is noted in ``.alo/sources/<step>.json``; without the note (``.alo/`` may be deleted) a
folder is compared with the commit itself.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from alo.copies import copy_folder
from alo.errors import Problem, SourceError
from alo.files import (
    discard,
    is_leftover,
    move_aside,
    refuse_volumes,
    return_half,
    temporary_beside,
)
from alo.layout import Workspace
from alo.named_tuples import NamedTuple
from alo.plan.model import Plan, StepPlan
from alo.plan.suggest import listed
from alo.real_names import real_names
from alo.sources.git.checked_out import (
    Checkout,
    Record,
    differences,
    file_states,
    read_record,
    write_record,
)
from alo.sources.git.fetched_code import refuse_bad_links, refuse_without_asset
from alo.sources.git.repositories import git_steps, repositories, wanted_checkout, whole_url
from alolib.disk import fix_of

if TYPE_CHECKING:  # git, with subprocess, only where something is fetched
    from alo.sources.git.clones import Clone
    from alo.sources.git.command import Git

FETCHES = 8  # repositories at once
Report = Callable[[str], object]
Inspect = Callable[[Mapping[str, Path]], object]


class Policy(NamedTuple):
    """How eagerly code is fetched."""

    every: bool = False  # look for a newer commit at each run
    force: bool = False  # replace edited files; they are kept in .alo/replaced/
    offline: bool = False  # use only what the cache has


class Draft(NamedTuple):
    """Code that was fetched and is not in its place yet."""

    step: StepPlan
    reason: str
    checkout: Checkout
    folder: Path  # beside the asset's own


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
    if not os.listdir(folder):
        return "its folder is empty"
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
    plan: Plan,
    steps: Sequence[StepPlan],
    policy: Policy,
    report: Report,
    commits: Mapping[str, str] | None = None,
    inspect: Inspect = lambda folders: None,
) -> None:
    """Have the code of these steps in their folders.

    Args:
        report: takes a line for each step that something is done for.
        commits: of the lock file, by step: these and no others.
        inspect: looks at what was fetched, by step, before any of it is in its place. Where it
            raises, nothing has changed.
    Raises:
        SourceError: code cannot be fetched, or would replace edited files. What was in the folder
            of that step is still there.
    """
    due = _due(workspace, plan, steps, policy, commits or {})
    there = {step.name for step in steps} - {each.step.name for each in due}
    for step in git_steps(steps):
        if step.name in there and (edited := edited_files(workspace, step.name)):
            report(f"step {step.name}: edited files are used as they are: {listed(edited)}")
    if not due:
        return
    with _drafts(workspace, plan, due, policy) as drafts:
        inspect({draft.step.name: draft.folder for draft in drafts})
        for draft in drafts:
            with _errors_of(plan, draft.step):
                _put_in_place(workspace, draft, policy, report)


def look_at_sources(
    workspace: Workspace,
    plan: Plan,
    steps: Sequence[StepPlan],
    policy: Policy,
    commits: Mapping[str, str],
    inspect: Inspect,
) -> None:
    """As ``bring_sources``, but nothing is put in its place."""
    if due := _due(workspace, plan, steps, policy, commits):
        with _drafts(workspace, plan, due, policy) as drafts:
            inspect({draft.step.name: draft.folder for draft in drafts})


def check_remote(workspace: Workspace, plan: Plan) -> list[Problem]:
    """What is wrong with the repositories of a plan, asked over the network."""
    from concurrent.futures import ThreadPoolExecutor

    steps = repositories(plan.pipelines)

    def check(step: StepPlan) -> Problem | None:
        try:
            _clone(workspace, step, git).bring(step.source.branch)
        except SourceError as error:
            shown = f"{error.what}: {error.fix}" if error.fix else error.what
            return plan.source_problem(step, shown, error.key)
        return None

    with _stoppable_git() as git, ThreadPoolExecutor(FETCHES, "git") as pool:
        return [problem for problem in pool.map(check, steps) if problem]


class _Due(NamedTuple):
    step: StepPlan
    reason: str
    commit: str  # that the lock file wants; empty: what the branch is


def _due(
    workspace: Workspace,
    plan: Plan,
    steps: Sequence[StepPlan],
    policy: Policy,
    commits: Mapping[str, str],
) -> list[_Due]:
    """What has to be fetched, once the folders are as a kill has found them."""
    due = []
    for step in git_steps(steps):
        with _errors_of(plan, step):
            _put_in_order(workspace.asset(step.name))
        locked = commits.get(step.name, "")
        if reason := _reason(workspace, step, policy, locked):
            due.append(_Due(step, reason, locked))
    return due


def _reason(workspace: Workspace, step: StepPlan, policy: Policy, locked: str) -> str:
    record = read_record(workspace, step.name)
    reason = needs_checkout(workspace, step, policy)
    if not reason and locked and record and record.checkout.commit != locked:
        return f"the lock file has commit {locked[:12]}"
    return reason


@contextmanager
def _stoppable_git() -> "Iterator[Git]":
    """git, which ends when the user interrupts us."""
    from alo.sources.git.command import Git

    git = Git()
    try:
        yield git
    except BaseException:
        git.stop()
        raise


@contextmanager
def _drafts(
    workspace: Workspace, plan: Plan, due: Sequence[_Due], policy: Policy
) -> Iterator[list[Draft]]:
    """What is due, fetched; in the end no draft is left."""
    drafts: list[Draft] = []
    try:
        drafts.extend(_fetched(workspace, plan, due, policy))
        yield drafts
    finally:
        for each in due:
            with suppress(OSError):  # the first error is the one to report
                _put_in_order(workspace.asset(each.step.name))


def _fetched(
    workspace: Workspace, plan: Plan, due: Sequence[_Due], policy: Policy
) -> Iterator[Draft]:
    from concurrent.futures import ThreadPoolExecutor

    with _stoppable_git() as git, ThreadPoolExecutor(FETCHES, "git") as pool:
        try:
            jobs = {}
            for each in due:
                with _errors_of(plan, each.step):
                    clone = _clone(workspace, each.step, git)
                key = (clone.url, each.commit or each.step.source.branch)
                if key not in jobs:
                    jobs[key] = pool.submit(clone.bring, key[1], offline=policy.offline)
            for each in due:
                with _errors_of(plan, each.step):
                    clone = _clone(workspace, each.step, git)
                    commit = jobs[clone.url, each.commit or each.step.source.branch].result()
                    yield from _draft(workspace, each, clone, commit, policy)
        except BaseException:
            git.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _draft(
    workspace: Workspace, due: _Due, clone: "Clone", commit: str, policy: Policy
) -> Iterator[Draft]:
    """The step's code next to its place; none where it is there already."""
    step, folder = due.step, workspace.asset(due.step.name)
    wanted = wanted_checkout(workspace, step)._replace(commit=commit)
    record = read_record(workspace, step.name)
    if record and record.checkout == wanted and folder.is_dir() and os.listdir(folder):
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = temporary_beside(folder)
    with real_names({fresh: folder}):
        clone.export(commit, wanted.path, fresh, offline=policy.offline)
        refuse_bad_links(fresh)
        refuse_without_asset(fresh, step)
    yield Draft(step, due.reason, wanted, fresh)


@contextmanager
def _errors_of(plan: Plan, step: StepPlan) -> Iterator[None]:
    """Errors that name the step, and its place in the plan."""
    try:
        yield
    except SourceError as error:
        place = str(plan.source_problem(step, "", error.key)._replace(what=""))
        raise SourceError(
            f"step '{step.name}': {error.what}",
            where=f"{place} ({error.where})" if error.where else place,
            fix=error.fix,
            key=error.key,
        ) from error
    except OSError as error:
        place = str(plan.source_problem(step, "")._replace(what=""))
        raise SourceError(
            f"step '{step.name}': its code cannot be checked out: {error.strerror}",
            where=f"{place} ({error.filename})" if error.filename else place,
            fix=fix_of(error),
        ) from error


def _put_in_place(workspace: Workspace, draft: Draft, policy: Policy, report: Report) -> None:
    """Put fetched code in the place of the asset's folder."""
    step, folder = draft.step, workspace.asset(draft.step.name)
    aside = _aside(folder)
    if folder.is_dir():
        refuse_volumes(folder)
        _keep_edited(workspace, draft, policy, report)
        move_aside(folder, aside)  # put back by _put_in_order, should we be killed now
    try:
        os.rename(draft.folder, folder)
    except BaseException:
        with suppress(OSError):
            os.rename(aside, folder)
        raise
    discard(aside)
    write_record(workspace, step.name, Record(draft.checkout, file_states(folder)))
    at, branch = draft.checkout.commit[:12], step.source.branch
    report(
        f"step {step.name}: {draft.checkout.url} at {at}{f' ({branch})' if branch else ''} "
        f"is in assets/{step.name}/ ({draft.reason})"
    )


def _keep_edited(workspace: Workspace, draft: Draft, policy: Policy, report: Report) -> None:
    """Keep a copy of a folder that was edited, where it may be replaced."""
    step, folder = draft.step, workspace.asset(draft.step.name)
    files = file_states(draft.folder)
    record = read_record(workspace, step.name)
    edited = differences(workspace, step.name, record.files if record else files)
    if not edited or not os.listdir(folder):
        return
    if not differences(workspace, step.name, files):  # killed before the note was written
        return
    if not policy.force:
        raise _edited_error(folder, edited)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    kept = workspace.internal / "replaced" / f"{step.name}-{stamp}-{os.urandom(2).hex()}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    copy_folder(folder, kept)
    report(f"step {step.name}: what was edited is kept in {kept}")


def _edited_error(folder: Path, edited: Sequence[str]) -> SourceError:
    return SourceError(
        "its code is to be checked out anew, and these files in its folder have been edited: "
        f"{listed(edited)}",
        where=str(folder),
        fix="commit them to the repository, or move them away; `alo install --force` replaces "
        "them (and keeps a copy in .alo/replaced/)",
    )


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.aside.alo-tmp")


def _put_in_order(folder: Path) -> None:
    """Undo what a kill has left: a folder that was moved aside, and drafts."""
    aside = _aside(folder)
    return_half(aside, folder)
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
            discard(folder.parent / name)


def _clone(workspace: Workspace, step: StepPlan, git: "Git") -> "Clone":
    from alo.sources.git.clones import Clone, clones_folder

    return Clone(whole_url(workspace, step.source.code), git, clones_folder(workspace))
