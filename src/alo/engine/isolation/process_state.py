"""What a step does to the process ends with it; what the import of a module does lives with that.

A library sets itself up once, when it is imported, and stays imported: that is no step's doing. The
modules of an asset may be kept where requests are served: what their import did is done again
whenever their step runs.
"""

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any
from weakref import ref

from alo.engine.isolation.descriptors import descriptors_kept
from alo.engine.isolation.import_watch import ImportWatch
from alo.engine.isolation.only_steps import while_only_steps_run
from alo.engine.isolation.settings_of_python import PYTHON_SETTINGS
from alo.engine.isolation.settings_of_system import ABSENT, SYSTEM_SETTINGS
from alo.named_tuples import NamedTuple
from alo.sources.code.shared import SharedModules

SETTINGS = {**SYSTEM_SETTINGS, **PYTHON_SETTINGS}
MODULES = frozenset(each.module for each in SETTINGS.values()) - {""}
CHANGES = "__alo_changes__"  # in a module: what its import did to the process

State = dict[str, dict[Any, Any]]  # by the names of the settings
NOTHING: dict[Any, Any] = {}  # of a setting that is not there


_modules: list[ref[ModuleType]] = []  # of projects, that have changes


class _Modules:
    """The modules that are there at some moment."""

    def __init__(self, modules: dict[str, ModuleType]) -> None:
        self.by_name = modules
        self._names, self._modules = list(modules), list(modules.values())

    def are_there(self) -> bool:
        """Whether they are there now, each under its name, and no others.

        Two lists of the same objects in the same order are compared without a look at any of them.
        """
        now = sys.modules
        is_same = list(now.values()) == self._modules and list(now) == self._names
        return is_same or now == self.by_name


class _Between:
    """How the process is between steps: it need not be read again where nothing else happens."""

    def __init__(self) -> None:
        self._depth = 0  # an asset may run steps of its own in one
        self._time: object | None = None  # in which nothing but steps has run since then
        self._modules, self._state = _Modules({}), State()

    @property
    def time(self) -> object | None:
        """In which nothing but steps runs, for the step that has begun."""
        return while_only_steps_run() if self._depth == 1 else None

    def begin(self) -> tuple[_Modules, State]:
        """A step begins: the modules that are there, and how the process is."""
        self._depth += 1
        is_known = self.time is not None and self.time is self._time
        if is_known and len(sys.modules) == len(self._modules.by_name):
            return self._modules, self._state
        return _Modules(sys.modules.copy()), read()

    def end(self, modules: _Modules, state: State) -> None:
        """A step has ended, and all is as it was when it began."""
        self._depth -= 1
        self._modules, self._state, self._time = modules, state, while_only_steps_run()


_between = _Between()


class Change(NamedTuple):
    """What has become of one thing."""

    setting: str
    key: Any
    before: Any
    after: Any


@contextmanager
def process_restored(
    when_logging_comes: Callable[[], object] = lambda: None, once: str = ""
) -> Iterator[None]:
    """Afterwards the process is as it was before, but for what libraries did when imported.

    Args:
        when_logging_comes: called when ``logging`` is imported inside for the first time.
        once: a folder whose own modules are not used again: what their import does need not be
            known, as it ends here with all else.
    """
    kept = _Kept(when_logging_comes)
    watch = ImportWatch(kept, MODULES, once)
    sys.meta_path.insert(0, watch)
    with descriptors_kept(_between.time):
        try:
            yield
        finally:
            if sys.meta_path[:1] == [watch]:  # else it goes with all else
                del sys.meta_path[0]
            kept.restore()


@contextmanager
def values_loadable(shared: SharedModules, paths: Sequence[str]) -> Iterator[None]:
    """While inside, what steps have saved finds its modules, which may do things when imported."""
    with process_restored(), shared.importable(paths):
        yield


def do_imports_again() -> None:
    """Do what the project's modules that are here now did to the process when imported."""
    for reference in list(_modules):
        module = reference()
        if module is None:
            _modules.remove(reference)
        elif sys.modules.get(module.__name__) is module:
            _do_again(module)


def _do_again(module: ModuleType) -> None:
    changes: list[Change] = vars(module)[CHANGES]
    now = read(frozenset(change.setting for change in changes))
    for change in changes:
        _apply(change, now)


class _Kept:
    """How the process was, and how it shall be again."""

    def __init__(self, when_logging_comes: Callable[[], object]) -> None:
        self._when_logging_comes = when_logging_comes
        self._of_libraries: set[str] = set()  # names that they have put into sys.modules
        self._modules, self._state = _between.begin()
        self._before_imports: list[tuple[State, frozenset[str]]] = []  # that are in progress

    def begin_import(self) -> tuple[State, frozenset[str]]:
        begun = read(), frozenset(sys.modules)
        self._before_imports.append(begun)
        return begun

    def end_import(
        self,
        begun: tuple[State, frozenset[str]],
        module: ModuleType | None,
        *,
        is_of_project: bool,
    ) -> None:
        self._before_imports = [each for each in self._before_imports if each is not begun]
        changes = list(_changes(begun[0], read()))
        if module is None:  # it has failed
            return
        if not is_of_project:
            self._of_libraries |= sys.modules.keys() - begun[1]
            for change in changes:
                mine = self._state.setdefault(change.setting, {})
                mine[change.key] = _carried_over(change, mine.get(change.key, ABSENT))
        elif CHANGES in vars(module):  # it is as it was, and was not executed
            _do_again(module)
        elif changes:
            vars(module)[CHANGES] = changes
            _modules.append(ref(module))

    def has_come(self, name: str) -> None:
        """What comes with a module is not the doing of who imports it."""
        self._state.update(_read_of(name))
        if name == "logging":
            self._when_logging_comes()
        for state, _ in self._before_imports:
            state.update(_read_of(name))

    def restore(self) -> None:
        try:
            self._restore_modules()
            _restore(self._state)
        except KeyboardInterrupt:  # which leaves nothing half done
            _restore(self._state)
            raise
        finally:
            _between.end(self._modules, self._state)

    def _restore_modules(self) -> None:
        """Those that were taken away or replaced, and none that was put together by hand."""
        if self._modules.are_there():
            return
        now, before = sys.modules, self._modules.by_name
        for name in now.keys() - before.keys() - self._of_libraries:
            if "." not in name and getattr(now[name], "__spec__", None) is None:
                del now[name]
        now.update((name, module) for name, module in before.items() if now.get(name) is not module)


def read(names: Collection[str] = SETTINGS.keys()) -> State:
    """How the process is.

    Args:
        names: of the settings to look at.
    """
    state = {}
    for name in names:
        setting = SETTINGS[name]
        if not setting.module or setting.module in sys.modules:
            try:
                state[name] = setting.read()
            except Exception:  # noqa: S112 - something else is in the place of a module
                continue
    return state


def _read_of(module: str) -> State:
    if module not in sys.modules:  # its import has failed
        return {}
    return {name: each.read() for name, each in SETTINGS.items() if each.module == module}


def _restore(state: State) -> None:
    """Put back what differs; most does not, and each step pays for all: one pass, no more."""
    for name, (look, write, module, _) in SETTINGS.items():
        before, now = state.get(name, NOTHING), NOTHING
        try:
            if not module or module in sys.modules:
                now = look()
            if before == now:
                continue
        except Exception:  # noqa: S110 - something else is there, or compares in its own way
            pass
        for change in _changes_of(name, before, now):
            with suppress(Exception):  # what cannot be undone, such as a lower priority
                write(change.key, change.before)


def _changes(before: State, after: State) -> Iterator[Change]:
    for name in SETTINGS:
        one, other = before.get(name, {}), after.get(name, {})
        try:
            if one == other:
                continue
        except Exception:  # noqa: S110 - of a class that compares in its own way
            pass
        yield from _changes_of(name, one, other)


def _changes_of(name: str, before: dict[Any, Any], after: dict[Any, Any]) -> Iterator[Change]:
    for key in {**before, **after}:
        was, is_now = before.get(key, ABSENT), after.get(key, ABSENT)
        if was is not is_now and not _are_equal(was, is_now):
            yield Change(name, key, was, is_now)


def _are_equal(one: Any, other: Any) -> bool:
    try:
        return one is other or bool(one == other)
    except Exception:  # of a class that compares in its own way
        return False


def _apply(change: Change, state: State) -> None:
    value = state.get(change.setting, {}).get(change.key, ABSENT)
    wanted = _carried_over(change, value)
    if not _are_equal(wanted, value):
        with suppress(Exception):
            SETTINGS[change.setting].write(change.key, wanted)


def _carried_over(change: Change, value: Any) -> Any:
    """Another value of the same thing, with this change made to it."""
    new = SETTINGS[change.setting].new
    return _merged(*(new if each is ABSENT else each for each in (*change[2:], value)))


def _merged(before: Any, after: Any, value: Any) -> Any:
    if isinstance(after, tuple) and hasattr(after, "_fields"):
        return type(after)(*map(_merged, before, after, value))
    if not all(isinstance(each, list) for each in (before, after, value)):
        return value if _are_equal(before, after) else after
    added = [each for each in after if each not in before and each not in value]
    stays = [each for each in value if each in after or each not in before]
    first = next((n for n, each in enumerate(after) if each in before), len(after))
    in_front = [each for each in added if after.index(each) < first]
    return in_front + stays + [each for each in added if each not in in_front]
