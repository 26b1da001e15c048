"""The repositories that the steps of a plan name, and what can be known of them without git."""

import os
import posixpath
from collections.abc import Iterator, Sequence

from alo.errors import Problem
from alo.layout import Workspace
from alo.masking import masked
from alo.plan.model import LOCAL, PipelinePlan, Plan, StepPlan
from alo.sources.git.checked_out import Checkout


def git_steps(steps: Sequence[StepPlan]) -> list[StepPlan]:
    """The steps whose code comes from git: each name once, and not twice what is shared."""
    found: dict[str, StepPlan] = {}
    for step in steps:
        if step.source.code != LOCAL and not (step.source.is_shared and step.name in found):
            found[step.name] = step
    return list(found.values())


def changing_steps(pipelines: Sequence[PipelinePlan]) -> list[str]:
    """The steps that have another repository, branch or path in each pipeline, and one folder."""
    first: dict[str, StepPlan] = {}
    steps = [step for pipeline in pipelines for step in git_steps(pipeline.steps)]
    return [
        step.name
        for step in steps
        if _identity(first.setdefault(step.name, step)) != _identity(step)
    ]


def source_problems(
    workspace: Workspace, plan: Plan, pipelines: Sequence[PipelinePlan]
) -> Iterator[Problem]:
    """What is wrong with the sources of the pipelines that are to run, as far as git is not asked.

    The folder of a step that is only shared is used as it is.
    """
    for step in repositories(pipelines):
        if not step.source.is_shared and (what := _work_tree_problem(workspace, step)):
            yield plan.source_problem(step, what)


def source_warnings(plan: Plan, pipelines: Sequence[PipelinePlan]) -> Iterator[Problem]:
    """The folders that a run of these pipelines has to change between them."""
    for name in changing_steps(pipelines):
        one, other = (step for pipeline in pipelines if (step := pipeline.step(name)))
        line = plan.source_problem(one, "").line
        yield plan.source_problem(
            other,
            f"its code comes from {_told(other)} here and from {_told(one)} in "
            f"{pipelines[0].name} (line {line}): a run of both changes the folder "
            f"assets/{name}/ between them",
        )


def repositories(pipelines: Sequence[PipelinePlan]) -> list[StepPlan]:
    """The steps whose code comes from git, once for each repository, branch and path."""
    steps = [step for pipeline in pipelines for step in git_steps(pipeline.steps)]
    found: dict[tuple[str, ...], StepPlan] = {}
    for step in sorted(steps, key=lambda step: step.source.is_shared):
        found.setdefault((step.name, *_identity(step)), step)
    return list(found.values())


def wanted_checkouts(workspace: Workspace, steps: Sequence[StepPlan]) -> list[Checkout]:
    """What is to be checked out, of the steps whose code comes from git; without commits."""
    return [wanted_checkout(workspace, step) for step in git_steps(steps)]


def whole_url(workspace: Workspace, code: str) -> str:
    """A URL as it is; a path to a repository as an absolute one."""
    if code.startswith("~"):
        return os.path.expanduser(code)
    if code.startswith(("./", "../", "/")):
        return os.path.normpath(os.path.join(workspace.home, code))
    return code


def wanted_checkout(workspace: Workspace, step: StepPlan) -> Checkout:
    """What is to be checked out for a step, without the commit."""
    source = step.source
    url = masked(whole_url(workspace, source.code))
    return Checkout(step.name, url, source.branch, _inner(source.path), "")


def lacks_repository(workspace: Workspace, step: StepPlan) -> str:
    """What is wrong with a repository on this machine, as far as its folder shows; or nothing."""
    url = whole_url(workspace, step.source.code)
    path = unquoted(url) if url.startswith("file://") else url
    if not path.startswith("/"):
        return ""
    there = [each for each in (path, f"{path}.git") if os.path.exists(each)]
    if not there:
        return f"there is no repository {masked(path)}: correct 'code', or make it"
    if not any(os.path.isfile(each) or _is_repository(each) for each in there):  # or a bundle
        return f"{masked(path)} is no git repository: correct 'code', or make it one (git init)"
    return ""


def _is_repository(folder: str) -> bool:
    return any(os.path.exists(os.path.join(folder, name)) for name in (".git", "HEAD"))


def unquoted(url: str) -> str:
    """The path of a ``file://`` URL."""
    from urllib.parse import unquote

    host, slash, path = url.removeprefix("file://").partition("/")
    return f"{slash}{unquote(path)}" if host in ("", "localhost") else url


def _inner(path: str) -> str:
    """A folder of a repository in one form; empty: its root."""
    return posixpath.normpath(f"/{path}").strip("/")


def _identity(step: StepPlan) -> tuple[str, str, str]:
    source = step.source
    return source.code, source.branch, _inner(source.path)


def _told(step: StepPlan) -> str:
    code, branch, path = _identity(step)
    return " ".join(filter(None, [masked(code), branch, path]))


def _work_tree_problem(workspace: Workspace, step: StepPlan) -> str:
    """Whether the asset's folder is a git work tree of the user's, of another repository."""
    git = workspace.asset(step.name) / ".git"
    if not git.exists():
        return ""
    try:
        text = (git / "config").read_text("utf-8", "replace")
    except OSError:  # a linked work tree, or a submodule
        text = ""
    lines = [line.strip().partition("=") for line in text.splitlines()]
    urls = {masked(url.strip()) for key, _, url in lines if key.strip() == "url"}
    wanted = wanted_checkout(workspace, step).url
    if _plain_url(wanted) in map(_plain_url, urls):
        return ""
    return (
        f"assets/{step.name}/ is a git work tree of yours, of "
        f"{', '.join(sorted(urls)) or 'no remote'}, and not of {wanted}: it is left as it is; "
        "write 'code: local' to use it, or move it away"
    )


def _plain_url(url: str) -> str:
    return url.removeprefix("file://").removesuffix("/").removesuffix(".git")
