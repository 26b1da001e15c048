"""A module that is one file for all steps is one module for all steps, however they are run."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.engine.rerun import rerun
from alo.errors import StepError
from alo.events.types import StepFinished

from .conftest import GIVE, KINDS, TAKE, write

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]
WITHOUT_IMPORT = """\
self.asset.save_summary(f"{self.data['parts'][0].price()}", 1)
"""
RIGHT = "(2, 3, True) 1"


def record(outcome: Any) -> dict[str, Any]:
    text = (outcome.history / "log/experimental_history.json").read_text()
    content: dict[str, Any] = json.loads(text)
    return content


def notes(heard: Any) -> dict[str, str]:
    return {step.step: step.note for step in heard.of(StepFinished)}


MODES = {
    "memory": {},
    "file": {"control": {"interface_mode": "file"}},
    "cache": {"control": {"cache": True}},
    "cache and file": {"control": {"cache": True, "interface_mode": "file"}},
    "process": {"beside": {step: {"isolation": "process"} for step in ("give", "take")}},
    "process before": {"beside": {"give": {"isolation": "process"}}},
    "process after": {"beside": {"take": {"isolation": "process"}}},
}


@pytest.mark.parametrize("mode", MODES)
def test_classes_and_enums_are_the_same_objects_in_each_step(
    mode: str, shop: Callable[..., Path], run: Run
) -> None:
    home = shop(**MODES[mode])

    outcomes = run(home)
    again = run(home)

    assert [each.summary["result"] for each in (*outcomes, *again)] == [RIGHT] * 4


@pytest.mark.parametrize("mode", ["cache", "cache and file"])
def test_what_a_cached_step_hands_on_is_of_the_same_classes(
    mode: str, shop: Callable[..., Path], run: Run, heard: Any
) -> None:
    home = shop(**MODES[mode])
    run(home, "train")
    asset = home / "assets/take/asset_take.py"
    asset.write_text(asset.read_text().replace("{found}", "again {found}"))
    heard.clear()

    (outcome,) = run(home, "train")

    assert notes(heard)["give"] == "cached"
    assert outcome.summary["result"] == f"again {RIGHT}"


PLACES = {  # where the file is → what the steps say to import it
    "shop/kinds.py": "from shop.kinds import Kind, Part",
    "kinds.py": "from kinds import Kind, Part",
    "deep/er/kinds.py": "from deep.er.kinds import Kind, Part",
    "assets/common/kinds.py": "from assets.common.kinds import Kind, Part",
    "assets/kinds.py": "import sys; sys.path.append(self.asset.asset_home)\n"
    "from kinds import Kind, Part",
    "lib/kinds.py": "import sys; sys.path.insert(0, self.asset.project_home + 'lib')\n"
    "from kinds import Kind, Part",
    "plugins/kinds.py": "import importlib; name = 'kinds'\n"
    "found = importlib.import_module('plugins.' + name); Kind, Part = found.Kind, found.Part",
    "linked.py": "from linked import Kind, Part",
}


@pytest.mark.parametrize("mode", ["memory", "cache and file", "process"])
@pytest.mark.parametrize("place", PLACES)
def test_a_shared_module_counts_as_code_wherever_it_lies(
    place: str, mode: str, make_solution: MakeSolution, run: Run, heard: Any, tmp_path: Path
) -> None:
    how = PLACES[place]
    steps = {
        "give": GIVE.replace("from shop.kinds import Kind, Part", how),
        "take": TAKE.replace("from shop.kinds import Kind, Part", how),
    }
    home = make_solution(steps, **MODES[mode])
    if place == "linked.py":
        write(home, {"real/kinds.py": KINDS})
        (home / place).symlink_to("real/kinds.py")
    else:
        write(home, {place: KINDS})
    (first,) = run(home)
    (same,) = run(home)
    code = record(first)["code_id_description"]["files"]

    assert first.summary["result"] == RIGHT
    assert place in code
    assert record(same)["code_id"] == record(first)["code_id"]
    in_entry = place if place.startswith("assets/") else f"project_code/{place}"
    assert (first.history / in_entry).read_text() == KINDS

    (home / place).write_text(KINDS.replace("return 1", "return 2"))
    heard.clear()
    (other,) = run(home)
    assert other.summary["result"] == RIGHT.replace(" 1", " 2")
    assert record(other)["code_id"] != record(first)["code_id"]
    if "cache" in mode:
        assert set(notes(heard).values()) == {f"code changed: {place}"}

    again = rerun(home, first.run_id, lambda event: None)
    assert again.summary is not None
    assert again.summary["result"] == RIGHT
    for name in ("code_id", "data_id", "param_id"):
        assert record(again)[name] == record(first)[name]
    (home / place).unlink()
    again = rerun(home, first.run_id, lambda event: None)
    assert again.summary is not None
    assert again.summary["result"] == RIGHT
    assert record(again)["code_id"] == record(first)["code_id"]


def test_a_class_that_comes_only_with_the_data_counts_too(
    make_solution: MakeSolution, run: Run, heard: Any
) -> None:
    control = {"cache": True, "interface_mode": "file"}
    home = make_solution({"give": GIVE, "take": WITHOUT_IMPORT}, control=control)
    write(home, {"shop/kinds.py": KINDS})
    run(home)
    write(home, {"shop/kinds.py": KINDS.replace("return 1", "return 2")})
    heard.clear()

    (outcome,) = run(home)

    assert notes(heard)["take"] == "code changed: shop/kinds.py"
    assert outcome.summary["result"] == "2"


NAMES = """\
import base, helper, json
from shop import report, plain
names = [helper.NAME, report.NAME, base.NAME, plain.NAME]
self.data["{step}"] = names
self.data["same"] = self.data.get("plain") is plain.Own
self.data["plain"] = plain.Own
self.asset.save_summary("x", 1, note=json.dumps([self.data.get("one"), names, self.data["same"]]))
"""


def test_two_assets_modules_of_one_name_stay_apart_also_below_a_shared_one(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({step: NAMES.replace("{step}", step) for step in ("one", "two")})
    write(
        home,
        {
            "assets/one/helper.py": "NAME = 'one'",
            "assets/two/helper.py": "NAME = 'two'",
            "assets/two/base.py": "NAME = 'of two'",
            "base.py": "NAME = 'of all'",
            "shop/report.py": "from helper import NAME",
            "plain.py": "",
            "shop/plain.py": "NAME = 'plain'\n\n\nclass Own:\n    pass\n",
        },
    )

    (outcome,) = run(home)

    one, two = ["one", "one", "of all", "plain"], ["two", "two", "of two", "plain"]
    assert json.loads(outcome.summary["note"]) == [one, two, False]


def test_state_in_a_shared_module_is_there_for_the_next_step_but_not_for_the_next_run(
    make_solution: MakeSolution, run: Run
) -> None:
    count = "import counter\ncounter.COUNT += 1\nself.asset.save_summary(str(counter.COUNT), 1)"
    home = make_solution({"one": count, "two": count})
    write(home, {"counter.py": "COUNT = 0"})

    results = [run(home)[0].summary["result"] for _ in range(2)]

    assert results == ["2", "2"]


def test_a_module_that_a_step_makes_in_the_artifacts_is_made_anew_for_the_next(
    make_solution: MakeSolution, run: Run
) -> None:
    code = """\
    import sys
    folder = Path(self.asset.get_output_path())
    (folder / "made.py").write_text(f"X = {self.args['n']}")
    sys.path.append(str(folder))
    from made import X
    self.data["{step}"] = X
    self.asset.save_summary(str([self.data.get("one"), X]), 1)
    """
    from textwrap import dedent

    steps = {step: dedent(code).replace("{step}", step) for step in ("one", "two")}
    home = make_solution(steps, args={"one": {"n": 1}, "two": {"n": 2}})

    (outcome,) = run(home)

    assert outcome.summary["result"] == "[1, 2]"
    assert not any("made.py" in name for name in record(outcome)["code_id_description"]["files"])


def test_a_package_counts_with_the_data_that_lies_in_it(
    make_solution: MakeSolution, run: Run, heard: Any
) -> None:
    read = "import shop\nself.asset.save_summary(shop.LABEL, 1)"
    home = make_solution({"one": read}, control={"cache": True})
    init = "from pathlib import Path\nLABEL = (Path(__file__).parent / 'label.txt').read_text()"
    write(home, {"shop/__init__.py": init, "shop/label.txt": "one"})
    (first,) = run(home)
    write(home, {"shop/label.txt": "two"})
    heard.clear()

    (second,) = run(home)

    assert notes(heard) == {"one": "code changed: shop/label.txt"}
    assert second.summary["result"] == "two"
    assert rerun(home, first.run_id, lambda event: None).summary == first.summary


def test_a_run_that_failed_before_it_imported_all_has_its_code_in_history(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"one": "1 / 0", "two": "def late():\n    from shop.kinds import Kind"})
    write(home, {"shop/kinds.py": "import base", "base.py": ""})

    with pytest.raises(StepError):
        run(home)

    (entry,) = home.glob("history/train/*-error")
    assert (entry / "project_code/shop/kinds.py").is_file()
    assert (entry / "project_code/base.py").is_file()


@pytest.mark.parametrize("mode", ["memory", "process"])
def test_what_is_edited_while_a_run_continues_is_not_of_it(
    mode: str, make_solution: MakeSolution, run: Run
) -> None:
    edit = """\
    home = Path(self.asset.project_home)
    for name in ("assets/two/asset_two.py", "assets/two/helper.py", "shop/kinds.py"):
        path = home / name
        path.write_text(path.read_text().replace("'old'", "'new'"))
    """
    from textwrap import dedent

    use = "self.asset.save_summary('old' + helper.X + kinds.X, 1)"
    two = f"import helper; from shop import kinds\n{use}"
    home = make_solution(
        {"one": dedent(edit), "two": two},
        beside=MODES[mode].get("beside") and {"two": {"isolation": "process"}},
    )
    write(home, {"assets/two/helper.py": "X = 'old'", "shop/kinds.py": "X = 'old'"})
    for path in home.rglob("*.py"):
        os.utime(path, (1_000_000_000, 1_000_000_000))

    (first,) = run(home)
    (second,) = run(home)

    assert first.summary["result"] == "oldoldold"
    assert "'old'" in (first.history / "assets/two/helper.py").read_text()
    assert second.summary["result"] == "newnewnew"
    assert record(first)["code_id"] != record(second)["code_id"]


def test_code_from_elsewhere_counts_for_the_cache(
    make_solution: MakeSolution,
    run: Run,
    heard: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = tmp_path / "elsewhere"
    write(elsewhere, {"lab_tools.py": "X = 1"})
    monkeypatch.syspath_prepend(elsewhere)
    home = make_solution({"one": "import lab_tools"}, control={"cache": True})
    run(home)
    write(elsewhere, {"lab_tools.py": "X = 22"})
    heard.clear()

    (outcome,) = run(home)

    assert notes(heard) == {"one": f"code changed: {elsewhere / 'lab_tools.py'}"}
    assert record(outcome)["code_id_description"]["files"].keys() == {"assets/one/asset_one.py"}


def test_a_run_that_was_killed_has_its_shared_code_in_history(
    make_solution: MakeSolution, run: Run, alo: Callable[..., Any]
) -> None:
    kill = "import os, signal, importlib\nimportlib.import_module('sh' + 'op.kinds')\n"
    home = make_solution({"one": kill, "two": "os.kill(os.getpid(), signal.SIGKILL)"})
    two = home / "assets/two/asset_two.py"
    two.write_text(two.read_text().replace("os.kill", "import os, signal; os.kill"))
    write(home, {"shop/kinds.py": KINDS})

    assert alo("run", cwd=home).returncode == -signal.SIGKILL
    two.write_text(two.read_text().replace("os.kill(", "print("))
    run(home)

    (entry,) = home.glob("history/train/*-error")
    assert (entry / "project_code/shop/kinds.py").read_text() == KINDS
    files = json.loads((entry / "log/experimental_history.json").read_text())
    assert "shop/kinds.py" in files["code_id_description"]["files"]
