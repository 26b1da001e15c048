"""``load_once``: loaded once a step and key, until the model is another."""

from __future__ import annotations

import pickle
import threading

from alolib.once import LoadedOnce


def test_a_loader_is_called_once_for_each_step_and_key() -> None:
    loaded, calls = LoadedOnce(), []

    def loader() -> int:
        calls.append(1)
        return len(calls)

    assert [loaded.get("a", "m", loader) for _ in range(3)] == [1, 1, 1]
    assert loaded.get("a", "other", loader) == 2
    assert loaded.get("b", "m", loader) == 3


def test_none_is_loaded_once_too() -> None:
    loaded, calls = LoadedOnce(), []

    for _ in range(2):
        assert loaded.get("a", "m", lambda: calls.append(1)) is None

    assert calls == [1]


def test_after_a_new_model_it_is_loaded_anew() -> None:
    loaded = LoadedOnce()
    loaded.get("a", "m", lambda: "old")

    loaded.forget()

    assert loaded.get("a", "m", lambda: "new") == "new"


def test_a_loader_may_load_something_once_itself() -> None:
    loaded = LoadedOnce()

    outer = loaded.get("a", "outer", lambda: loaded.get("a", "inner", lambda: 1) + 1)

    assert outer == 2


def test_two_threads_get_the_same_object() -> None:
    loaded, begun, go_on = LoadedOnce(), threading.Event(), threading.Event()
    found: list[object] = []

    def loader() -> object:
        begun.set()
        assert go_on.wait(60)
        return object()

    threads = [
        threading.Thread(target=lambda: found.append(loaded.get("a", "m", loader)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    assert begun.wait(60)
    go_on.set()
    for thread in threads:
        thread.join()

    assert len(set(map(id, found))) == 1


def test_in_another_process_nothing_is_loaded_yet() -> None:
    loaded = LoadedOnce()
    loaded.get("a", "m", lambda: "here")

    there = pickle.loads(pickle.dumps(loaded))  # noqa: S301 - our own

    assert there.get("a", "m", lambda: "there") == "there"
