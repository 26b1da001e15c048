"""What a step does to the process ends with it, wherever it does it and however it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.engine.isolation.process_state import _merged

from ...support.waiting import PATIENCE_S

MakeSolution = Callable[..., Path]

ASSET = """\
from alolib.asset import Asset
from tools import *


class UserAsset(Asset):
    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()
        self.data = {} if self.config["meta"]["step_number"] == 0 else self.asset.load_data()

    @Asset.decorator_run
    def run(self):
{body}
        self.asset.save_data(self.data)
        self.asset.save_config(self.config)
"""

# What a step does → how one sees that it has been done. Alarms ring late: however slow the machine
# is, what comes after them in the step is not cut off.
EFFECTS = {
    "umask": ("os.umask(0)", "umask()"),
    "a variable": ("os.environ['ADDED'] = '1'", "dict(os.environ)"),
    "variables gone": ("os.environ.clear()", "dict(os.environ)"),
    "other variables": ("os.environ = {}", "type(os.environ)"),
    "time zone": ("os.environ['TZ'] = 'Asia/Seoul'; time.tzset()", "time.tzname"),
    "working folder": ("os.chdir('/')", "os.getcwd()"),
    "a path": ("sys.path.insert(0, '/added')", "[p for p in sys.path if 'assets' not in p]"),
    "another path": ("sys.path = ['/other', *sys.path]", "'/other' in sys.path"),
    "words": ("sys.argv[:] = ['other']", "sys.argv"),
    "a finder": ("sys.meta_path.append(Finder)", "len(sys.meta_path)"),
    "depth": ("sys.setrecursionlimit(5000)", "sys.getrecursionlimit()"),
    "switches": ("sys.setswitchinterval(0.5)", "sys.getswitchinterval()"),
    "digits": ("digits(0)", "digits()"),
    "precision": ("decimal.getcontext().prec = 5", "decimal.getcontext().prec"),
    "a decimal context": (
        "decimal.setcontext(decimal.Context(prec=3, rounding='ROUND_UP'))",
        "decimal.getcontext().rounding",
    ),
    "locale": ("locale.setlocale(locale.LC_ALL, 'C')", "locale.setlocale(locale.LC_ALL)"),
    "a handler": (
        "signal.signal(signal.SIGUSR2, signal.SIG_IGN)",
        "signal.getsignal(signal.SIGUSR2)",
    ),
    "no interrupts": (
        "signal.signal(signal.SIGINT, signal.SIG_IGN)",
        "signal.getsignal(signal.SIGINT) == signal.SIG_IGN",
    ),
    "no news of children": (
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
        "signal.getsignal(signal.SIGCHLD)",
    ),
    "blocked signals": (
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])",
        "signal.pthread_sigmask(signal.SIG_BLOCK, [])",
    ),
    "an alarm": ("signal.alarm(60)", "signal.getitimer(signal.ITIMER_REAL)"),
    "an alarm with a handler": (
        "signal.signal(signal.SIGALRM, fail); signal.setitimer(signal.ITIMER_REAL, 60)",
        "signal.getitimer(signal.ITIMER_REAL)[0] > 0",
    ),
    "a level": ("logging.getLogger().setLevel(50)", "logging.getLogger().level"),
    "no logging": ("logging.disable(50)", "logging.root.manager.disable"),
    "a logger's level": ("logging.getLogger('mine').setLevel(50)", "how_is('mine')"),
    "a logger's filter": ("logging.getLogger('mine').addFilter(refuse)", "how_is('mine')"),
    "a logger's end": ("logging.getLogger('mine').disabled = True", "how_is('mine')"),
    "a new logger": ("logging.getLogger('new').setLevel(50)", "logging.getLogger('new').level"),
    "handlers": ("logging.basicConfig(level=50, force=True)", "logging.root.handlers"),
    "records": ("logging.setLogRecordFactory(dict)", "logging.getLogRecordFactory()"),
    "a class of loggers": ("logging.setLoggerClass(Logger)", "logging.getLoggerClass()"),
    "silent logging": ("logging.raiseExceptions = False", "logging.raiseExceptions"),
    "logged warnings": ("logging.captureWarnings(True)", "warnings.showwarning"),
    "no warnings": ("warnings.simplefilter('ignore')", "warnings.filters"),
    "other warnings": ("warnings.formatwarning = repr", "warnings.formatwarning"),
    "excepthook": ("sys.excepthook = fail", "sys.excepthook"),
    "displayhook": ("sys.displayhook = fail", "sys.displayhook"),
    "excepthook of threads": ("threading.excepthook = fail", "threading.excepthook"),
    "trace": ("sys.settrace(trace)", "sys.gettrace()"),
    "profile": ("sys.setprofile(trace)", "sys.getprofile()"),
    "trace of threads": ("threading.settrace(trace)", "threading.gettrace()"),
    "stack of threads": ("threading.stack_size(1 << 20)", "stack_size()"),
    "tracebacks": ("sys.tracebacklimit = 0", "getattr(sys, 'tracebacklimit', None)"),
    "input": ("sys.stdin = io.StringIO('x')", "type(sys.stdin)"),
    "output": ("sys.stdout = open(os.devnull, 'w')", "type(sys.stdout)"),
    "no input": ("sys.stdin.close()", "sys.stdin.closed"),
    "descriptor of the input": ("os.close(0)", "os.path.exists('/proc/self/fd/0')"),
    "garbage": ("gc.disable(); gc.set_threshold(7)", "(gc.isenabled(), gc.get_threshold())"),
    "limits": ("limit_files(99)", "resource.getrlimit(resource.RLIMIT_NOFILE)"),
    "cores": ("os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})", "cores()"),
    "start method": (
        "multiprocessing.set_start_method('spawn')",
        "multiprocessing.get_start_method(allow_none=True)",
    ),
    "sockets": ("socket.setdefaulttimeout(1)", "socket.getdefaulttimeout()"),
    "temporary files": ("tempfile.tempdir = '/added'", "tempfile.gettempdir()"),
    "place of temporary files": (
        "os.environ['TMPDIR'] = os.getcwd(); tempfile.tempdir = None; tempfile.gettempdir()",
        "tempfile.gettempdir() == os.getcwd()",
    ),
    "faulthandler": ("faulthandler.enable()", "faulthandler.is_enabled()"),
    "event loop": ("asyncio.run(asyncio.sleep(0))", "loop()"),
    "a builtin": ("builtins.copyright = fail", "builtins.copyright"),
    "a new builtin": ("builtins.added = 1", "hasattr(builtins, 'added')"),
    "a module replaced": ("sys.modules['json'] = None", "sys.modules.get('json') is json"),
    "a module taken": ("del sys.modules['json']", "sys.modules.get('json') is json"),
    "a module made": ("sys.modules['made'] = types.ModuleType('made')", "'made' in sys.modules"),
    "the end of a process": ("os._exit = fail", "os._exit is fail"),
}
TOOLS = """\
import asyncio, builtins, decimal, faulthandler, gc, io, json, locale, logging, multiprocessing
import os, resource, signal, socket, sys, tempfile, threading, time, types, warnings
from pathlib import Path

class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return None

class Logger(logging.Logger):
    pass

def fail(*_):
    raise TimeoutError("called after the step")

def trace(*_):
    return None

def refuse(record):
    return False

def umask():
    mask = os.umask(0o77)
    os.umask(mask)
    return mask

def stack_size():
    size = threading.stack_size()
    threading.stack_size(size)
    return size

def digits(*value):
    if hasattr(sys, "set_int_max_str_digits"):
        return sys.set_int_max_str_digits(*value) if value else sys.get_int_max_str_digits()

def how_is(name):
    log = logging.getLogger(name)
    return log.level, log.filters, log.handlers, log.disabled, log.propagate

def cores():
    return os.cpu_count() > 1 and os.sched_getaffinity(0)

def limit_files(number):
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, resource.getrlimit(7)[1]))

def loop():
    return vars(asyncio.get_event_loop_policy()._local)

def seen(expressions):
    return {name: repr(eval(text, globals())) for name, text in expressions.items()}
"""
EXPRESSIONS = {name: seen for name, (_, seen) in EFFECTS.items()}
FIRST = """\
before = seen({expressions})
Path(self.asset.get_model_path(), "before").write_text(json.dumps(before))
self.data["before"] = before
"""
LOOK = """\
now, before = seen({expressions}), self.data["before"]
different = {{name: now[name] for name in now if now[name] != before[name]}}
Path(self.asset.get_model_path(), "different").write_text(json.dumps(different))
"""
DO = """\
from tools import *
from alolib.asset import Asset

{at_import}

class UserAsset(Asset):
    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        {at_init}

    @Asset.decorator_run
    def run(self):
        {at_run}
        (done,) = seen({expression}).values()
        Path(self.asset.get_model_path(), "done").write_text(done)
        self.asset.save_data(self.asset.load_data())
        self.asset.save_config(self.asset.load_config())
"""
PLACES = ("at_import", "at_init", "at_run")
STEPS = {effect: "do_" + effect.translate({32: 95, 39: None}) for effect in EFFECTS}


def doing(effect: str, place: str) -> str:
    code, expression = EFFECTS[effect]
    return DO.format(**{**dict.fromkeys(PLACES, ""), place: code}, expression={"": expression})


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """``results(place, mode)``: by effect, whether its step saw it, and what it has left."""

    @cache
    def run(place: str, mode: str) -> dict[str, Any]:
        home = tmp_path_factory.mktemp("state") / "project"
        steps = {"first": write_asset_body(FIRST)}
        for effect, step in STEPS.items():
            steps |= {step: doing(effect, place), f"look_{step}": write_asset_body(LOOK)}
        write_project(home, steps, {"interface_mode": mode})
        command = [sys.executable, "-m", "alo.cli.main", "run", "--project", str(home)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        assert done.returncode == 0, done.stderr
        models = home / "train_artifacts/models"
        before = json.loads((models / "first/before").read_text())
        return {
            effect: (
                (models / step / "done").read_text() != before[effect],
                json.loads((models / f"look_{step}/different").read_text()),
            )
            for effect, step in STEPS.items()
        }

    return run


def write_asset_body(body: str) -> str:
    return ASSET.replace("{body}", indent(body.format(expressions=EXPRESSIONS), " " * 8))


def write_project(home: Path, steps: Mapping[str, str], control: Mapping[str, str]) -> None:
    for step, text in steps.items():
        folder = home / "assets" / step
        folder.mkdir(parents=True)
        (folder / f"asset_{step}.py").write_text(text)
    (home / "tools.py").write_text(TOOLS)
    (home / "solution").mkdir()
    parameters = {"train_pipeline": [{"step": step, "args": {}} for step in steps]}
    plan = {"name": "state", "user_parameters": parameters, "control": control}
    (home / "solution/experimental_plan.yaml").write_text(json.dumps(plan))


@pytest.mark.parametrize(
    ("place", "mode"),
    [("at_import", "memory"), ("at_init", "memory"), ("at_run", "memory"), ("at_run", "file")],
)
@pytest.mark.parametrize("effect", EFFECTS)
def test_what_a_step_does_ends_with_it(
    effect: str, place: str, mode: str, results: Callable[..., dict[str, Any]]
) -> None:
    was_seen, is_left = results(place, mode)[effect]

    assert was_seen
    assert is_left == {}


@given(st.lists(st.integers(), unique=True), *[st.lists(st.integers(), unique=True)] * 2)
def test_of_a_list_what_was_added_and_taken_is_carried_over(
    before: list[int], after: list[int], value: list[int]
) -> None:
    merged = _merged(before, after, value)

    assert set(merged) == set(value) - (set(before) - set(after)) | set(after) - set(before)
    assert len(merged) == len(set(merged))
    assert _merged(before, [0.5, *before, 1.5], before) == [0.5, *before, 1.5]


ENDINGS = {
    "an error": "raise ValueError",
    "an exit": "sys.exit(3)",
    "the end of the process": "os._exit(3)",
    "an interrupt": "raise KeyboardInterrupt",
    "an error of a base": "raise BaseException",
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("place", PLACES)
def test_a_host_is_as_before_however_the_step_ends(ending: str, place: str, tmp_path: Path) -> None:
    home = tmp_path / "project"
    do = "\n".join(code for code, _ in EFFECTS.values() if "os._exit" not in code)
    spots = {**dict.fromkeys(PLACES, ""), place: f"from effects import do; do(); {ENDINGS[ending]}"}
    write_project(home, {"step": DO.format(**spots, expression={})}, {})
    code = f"from tools import *\ndef do():\n{indent(do, ' ' * 4)}\n"
    (home / "effects.py").write_text(code)
    (home / "host.py").write_text(
        f"from tools import *\nimport alo\nEXPRESSIONS = {EXPRESSIONS!r}\n"
        "before = seen(EXPRESSIONS)\n"
        "def run():\n"
        "    try:\n"
        "        alo.Project('.', listener=lambda event: None).run()\n"
        "    except BaseException:\n"
        "        pass\n"
        "run()\n"
        "after = seen(EXPRESSIONS)\n"
        "print({name: after[name] for name in after if after[name] != before[name]})\n"
    )

    done = subprocess.run(
        [sys.executable, "host.py"],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )

    assert done.stdout == "{}\n", done.stderr


@pytest.mark.parametrize("place", PLACES)
def test_a_unit_test_is_as_before_too(place: str, tmp_path: Path) -> None:
    effect = "umask"
    write_project(tmp_path, {"step": doing(effect, place)}, {})
    script = (
        "from tools import *\nfrom alo.testing import run_asset\n"
        f"expressions = {EXPRESSIONS!r}\n"
        "before = seen(expressions)\n"
        "for step in sorted(os.listdir('assets')):\n"
        "    run_asset(f'assets/{step}', data={})\n"
        "    after = seen(expressions)\n"
        "    assert after == before, (step, [n for n in after if after[n] != before[n]])\n"
    )
    for other, name in STEPS.items():
        if other != effect:
            folder = tmp_path / "assets" / name
            folder.mkdir(parents=True)
            (folder / f"asset_{name}.py").write_text(doing(other, place))
    (tmp_path / "test.py").write_text(script)

    done = subprocess.run(
        [sys.executable, "test.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
