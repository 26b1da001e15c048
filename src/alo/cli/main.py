"""The entry point of the command line: finds the command, runs it, and reports how it ended.

Only the module of the command that runs is imported, and for ``alo --help`` none.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from typing import Any

from alo.cli.output import console
from alo.errors import AloError, CheckError, StepError, UsageError
from alo.masking import masked
from alo.version import __version__
from alolib.disk import fix_of

COMMANDS = {  # name -> what it does; a module of the same name has add_arguments() and execute()
    "init": "create a project that runs as it is",
    "check": "report every problem that would stop a run, without running",
    "run": "run the train pipeline, the inference pipeline, or both",
    "install": "fetch the code and install the packages that a plan names, without running",
    "lock": "pin exact package versions and commits in solution/alo.lock",
    "history": "list past runs; show, compare, rerun, verify and remove them",
    "serve": "serve the inference pipeline over HTTP",
    "deploy": "choose the model that services use; roll back; compare one in the shadow",
    "sweep": "train with many values of args to find the best; list, resume, apply, plot",
    "infer": "answer a large input in shards, which become one inference run",
    "review": "review results: make, list and show reviews; decide; how accurate the model is",
    "dataset": "make versioned train data of reviews; list, compare, verify and export it",
    "retrain": "train on a data set, compare with the deployed model, deploy what passes a gate",
    "models": "list models and their comparisons; which one answered when",
    "trace": "follow a record, a request or a run through reviews, data sets and models",
    "ui": "open the studio: runs, models and services in the browser",
    "loop": "show the state of loops; list, replay or drop dead requests",
    "schema": "print the JSON Schema of a plan, for editors",
}

# The threads of our own servers, which end once their work in hand is done.
OF_SERVERS = ("AnyIO", "alo-ui")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the words after ``alo``; those of this process if none are given.
    Returns:
        the exit status: 0; 1, a run or an asset failed; 2, the command line is wrong or the check
        found something; 129, 130 and 143, interrupted.
    """
    console.open_closed_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        execute, options = _first_command(words) if argv is None else _command(words)
        status = execute(options)
    except (Exception, KeyboardInterrupt) as error:
        status = _status_of(error, words)
    if argv is None:
        _settle(status)
        _name_threads()
    else:
        _seal_now()
    return status


def _status_of(error: Exception | KeyboardInterrupt, words: Sequence[str]) -> int:
    """Report what went wrong; what the process is to end with."""
    debug = "--debug" in words
    match error:
        case AloError():
            _show_error(error, debug)
            return error.exit_status
        case KeyboardInterrupt():
            console.write_error("interrupted")
            return 130
        case console.ReaderGone():
            return 0
    try:
        _continue_in_environment(error, words)
    except AloError as refused:
        _show_error(refused, debug)
        return refused.exit_status
    _show_accident(error, debug)
    return 1


def _continue_in_environment(error: Exception, words: Sequence[str]) -> None:
    """Does not return where the command has to continue in another environment."""
    setup = sys.modules.get("alo.engine.setup")  # not imported where nothing is to be set up
    if setup is not None and isinstance(error, setup.ContinueIn):
        from alo.cli.reexec import reexec

        reexec(error, words)


def _settle(status: int) -> None:
    """What a run has come to is what the process ends with, though a signal may come now."""
    signals = sys.modules.get("alo.processes.signals")  # not imported where nothing was run
    if signals is not None:
        signals.end_with(status)


def _name_threads() -> None:
    """Say what keeps Python from ending: threads that an asset has left."""
    threading = sys.modules.get("threading")
    if threading is None:
        return
    main_thread = threading.main_thread()
    left = [
        each
        for each in threading.enumerate()
        if each is not main_thread and not each.daemon and not each.name.startswith(OF_SERVERS)
    ]
    if left:
        _seal_now()
        names = ", ".join(each.name for each in left)
        console.write_error(f"waiting for threads that an asset has left running: {names}")


def _seal_now() -> None:
    """The process does not end with the run: what waited for that begins now."""
    seal = sys.modules.get("alo.history.entries.seal")  # not imported where nothing was run
    if seal is not None:
        seal.seal_now()


def _first_command(words: Sequence[str]) -> tuple[Callable[[Any], int], Any]:
    """The command of a process that is ours: what its modules define stays until the end, so it is
    not looked through for garbage, neither now nor later."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return _command(words)
    finally:
        gc.freeze()
        if collects:
            gc.enable()


def _command(words: Sequence[str]) -> tuple[Callable[[Any], int], Any]:
    """What the words ask for, to be called with its options.

    Raises:
        UsageError: they make no sense.
    """
    if not words or words[0] in ("-h", "--help"):
        return _show, (_help(), 0 if words else 2)
    if words[0] == "--version":
        return _show, (f"alo {__version__}", 0)
    name, *rest = words
    if name not in COMMANDS:
        raise _unknown(name)
    if name == "history":  # the list is at once there only without argparse
        from alo.cli.commands.history import list_newest, words_of_list

        if (workspace := words_of_list(rest)) is not None:
            return list_newest, workspace
    from alo.cli.options import find_command

    return find_command(name, COMMANDS[name], rest)


def _show(text_and_status: tuple[str, int]) -> int:
    text, status = text_and_status
    console.write(text)
    return status


def _help() -> str:
    widest = max(map(len, COMMANDS))
    commands = [f"  {name:{widest}}  {what}" for name, what in COMMANDS.items()]
    return "\n".join(
        [
            "usage: alo COMMAND [OPTIONS]",
            "",
            "ALO, the AI Learning Organizer: runs train and inference pipelines of small assets.",
            "",
            "commands:",
            *commands,
            "",
            "alo COMMAND --help describes one; alo --version prints the version.",
            "A first project: alo init my-solution, then alo run --project my-solution",
        ]
    )


def _unknown(name: str) -> UsageError:
    if name.startswith("-"):
        return UsageError(
            f"the first word is '{name}'; it has to be a command: {', '.join(COMMANDS)}",
            fix="put options after the command, as in: alo run --mode train",
        )
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, n=1)
    guess = f"; did you mean '{near[0]}'?" if near else ""
    return UsageError(
        f"no command '{name}'{guess}",
        fix=f"the commands are {', '.join(COMMANDS)}; alo --help describes them",
    )


def _show_error(error: AloError, debug: bool) -> None:
    if debug:
        _show_traceback(error)
    if isinstance(error, StepError) and error.user_traceback:
        console.write_error(error.user_traceback)
    if isinstance(error, CheckError) and len(error.problems) > 1:
        _say_error(f"{len(error.problems)} problems; nothing has run or changed\n{error}")
    else:
        _say_error(str(error))


def _show_accident(error: Exception, debug: bool) -> None:
    """An error that no one had thought of: of the system, or ours."""
    if debug:
        _show_traceback(error)
    if isinstance(error, OSError) and error.strerror:
        _say_error(str(_of_the_system(error)))
        return
    if isinstance(error, MemoryError):
        _say_error(str(AloError("out of memory", fix="close other programs, and try again")))
        return
    what = console.one_line(f"{type(error).__name__}: {error}")
    more = "" if debug else "; run it again with --debug for the traceback, and please report it"
    _say_error(f"sorry, this is a fault in ALO: {what} ({_place(error)}){more}")


def _of_the_system(error: OSError) -> AloError:
    if isinstance(error, FileNotFoundError) and not error.filename:
        return AloError(
            "the current folder does not exist any more",
            fix="change into another one, and run the command again",
        )
    other = "see that it is there and may be read and written; --debug shows more"
    return AloError(
        error.strerror or "", where=str(error.filename or ""), fix=fix_of(error, other=other)
    )


def _say_error(text: str) -> None:
    label = console.style("error:", "red", sys.stderr)
    console.write_error(f"{label} {masked(text)}")


def _show_traceback(error: BaseException) -> None:
    from traceback import format_exception

    console.write_error("".join(format_exception(error)).rstrip())


def _place(error: BaseException) -> str:
    """File and line where it was raised."""
    from pathlib import PurePath
    from traceback import extract_tb

    frames = [
        frame for frame in extract_tb(error.__traceback__) if not frame.filename.startswith("<")
    ]
    last = frames[-1]
    return f"{'/'.join(PurePath(last.filename).parts[-3:])}:{last.lineno}"


if __name__ == "__main__":
    sys.exit(main())
