"""What can be done with past runs, and what is told of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.history.pins import pin
from alo.layout import Workspace

Keep = Callable[..., Path]


Alo = Callable[..., "subprocess.CompletedProcess[str]"]


Call = Callable[..., tuple[int, str, str]]


def test_a_mistyped_action_is_guessed(history: Call) -> None:
    assert "did you mean 'show'?" in history("shwo", "x")[2]


@pytest.mark.parametrize("action", ["show", "diff", "remove", "rerun", "verify"])
def test_an_unknown_id_ends_with_1_and_names_near_ones(
    keep: Keep, history: Call, action: str
) -> None:
    keep(0)
    words = [action, "2027", *(["2026"] if action == "diff" else [])]

    status, _, err = history(*words)

    assert status == 1
    assert "no run begins with '2027'; the nearest: 20260101T000000Z-00000000-demo" in err


def test_remove_tells_what_went(keep: Keep, history: Call) -> None:
    first, second = keep(0), keep(1)

    assert history("remove", first.name)[1] == f"removed {first.name}\n"
    assert json.loads(history("remove", second.name, "--json")[1]) == {"removed": [second.name]}
    assert not first.exists()
    assert not second.exists()


def test_prune_tells_what_went(keep: Keep, history: Call) -> None:
    entries = [keep(minute) for minute in range(3)]

    assert history("prune", "--keep", "2")[1] == f"removed {entries[0].name}\n"
    assert history("prune", "--keep", "2")[1] == "nothing to remove\n"
    assert history("prune", "--size", "0")[1] == f"removed {entries[1].name}\n"


def test_prune_tells_what_stays_and_who_needs_it(keep: Keep, history: Call, home: Path) -> None:
    first, second = keep(0), keep(1)
    pin(Workspace(home), "review patients", [first.name])
    needed = {first.name: "review patients"}

    assert history("prune", "--keep", "1")[1] == (
        f"nothing to remove\nkept {first.name}: review patients needs it\n"
    )
    found = json.loads(history("prune", "--keep", "0", "--json")[1])
    assert found == {"removed": [second.name], "kept": needed}


def test_verify_ends_with_1_where_it_finds_damage(keep: Keep, history: Call) -> None:
    good, bad = keep(0), keep(1)
    assert history("verify")[:2] == (0, "2 runs verified, none damaged\n")

    (bad / "output/a.csv").write_text("3,4")

    status, out, _ = history("verify")
    assert status == 1
    assert f"{bad.name}  output/a.csv has other content" in out
    assert history("verify", good.name)[0] == 0
    assert json.loads(history("--json", "verify", bad.name)[1]) == [
        {"id": bad.name, "damage": [{"name": "output/a.csv", "what": "has other content"}]}
    ]


@pytest.mark.parametrize("words", [[], *[[name] for name in ("show", "diff", "rerun", "prune")]])
def test_help_is_reported_for_each_action(history: Call, words: list[str]) -> None:
    status, out, _ = history(*words, "--help")

    assert status == 0
    assert out.startswith(" ".join(["usage: alo history", *words]))


def test_a_run_can_be_run_again(make_solution: Callable[..., Path], alo: Alo) -> None:
    home = make_solution({"train": "self.data['x'] = self.args['n']"}, args={"train": {"n": 1}})
    assert alo("run", cwd=home).returncode == 0
    (first,) = json.loads(alo("history", "--json", cwd=home).stdout)

    done = alo("history", "rerun", first["id"], "--quiet", cwd=home)

    assert done.returncode == 0, done.stderr
    again, _ = json.loads(alo("history", "--json", cwd=home).stdout)
    for key in ("data_id", "code_id", "param_id", "args", "status"):
        assert again[key] == first[key]


def test_prune_names_all_that_need_a_run(keep: Keep, history: Call, home: Path) -> None:
    run_id = keep(0).name
    for name in ("a", "b"):
        pin(Workspace(home), f"review {name}", [run_id])

    reported = history("prune", "--keep", "0")[1]
    found = json.loads(history("prune", "--keep", "0", "--json")[1])

    assert reported == f"nothing to remove\nkept {run_id}: review a and review b need it\n"
    assert found["kept"] == {run_id: "review a, review b"}
