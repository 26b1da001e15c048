"""What a step may depend on: whatever an asset can see, a change of it runs the step again."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]
Again = Callable[..., dict[str, str]]

SEE = """\
import os
seen = {}
for top in ("train_artifacts", "input/train"):
    for folder, folders, files in os.walk(Path(self.asset.project_home, top)):
        for name in [*folders, *files]:
            path = Path(folder, name)
            at = str(path.relative_to(self.asset.project_home))
            if "/log" in at or "seen.json" in at:
                continue
            text = ""
            if path.is_symlink():
                text = os.readlink(path)
            elif path.is_file():
                text = path.read_text()
            if "summary" in name:
                text = [line for line in text.splitlines() if "date:" not in line]
            seen[at] = text
import json
Path(self.asset.get_extra_output_path(), "seen.json").write_text(json.dumps(seen, sort_keys=True))
"""


def seen(home: Path) -> dict[str, Any]:
    """What the step ``see`` found around it."""
    content: dict[str, Any] = json.loads(
        (home / "train_artifacts/extra_output/see/seen.json").read_text()
    )
    return content


@pytest.fixture(params=["memory", "file", "process"])
def control(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """For ``make_solution``: the ways in which a step is run."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").write_text("1")
    mode = "file" if request.param == "file" else "memory"
    options: dict[str, Any] = {
        "control": {"cache": True, "interface_mode": mode},
        "external": {"load_train_data_path": str(tmp_path / "data")},
    }
    if request.param == "process":
        options["beside"] = {"see": {"isolation": "process"}}
    return options


PLACES = {
    "models": "Path(self.asset.get_model_path(), 'scaler.json').write_text(k)",
    "output": "Path(self.asset.get_output_path(), 'o.csv').write_text(k)",
    "extra_output": "Path(self.asset.get_extra_output_path(), 'o.csv').write_text(k)",
    "report": "Path(self.asset.get_report_path(), 'r.html').write_text(k)",
    "input": "Path(self.asset.get_input_path(), 'data/derived.csv').write_text(k)",
    "artifacts": "Path(self.asset.project_home, 'train_artifacts', 'x.txt').write_text(k)",
    "summary": "self.asset.save_summary(k, 0.5)",
    "note": "self.asset.save_summary('same', 0.5, note=k)",
    "folder": "Path(self.asset.get_output_path(), k).mkdir()",
    "link": "Path(self.asset.get_output_path(), 'link').symlink_to(k)",
    "name": "Path(self.asset.get_output_path(), k).write_text('same')",
    "removed": "path = Path(self.asset.get_output_path(), '1')\n"
    "path.write_text('')\n"
    "if k == '2': path.unlink()",
}


@pytest.mark.parametrize("place", PLACES)
def test_what_a_step_leaves_counts_for_those_after_it(
    place: str, control: dict[str, Any], make_solution: MakeSolution, again: Again
) -> None:
    steps = {"first": f"k = str(self.args['k'])\n{PLACES[place]}", "between": "", "see": SEE}
    home = make_solution(steps, args={"first": {"k": 1}}, **control)
    again(home)
    one = seen(home)
    assert set(again(home).values()) == {"cached"}
    assert seen(home) == one

    notes = again(home, overrides=("first.k=2",))

    reason = "files or summary changed that were left by first"
    assert notes == {"first": "args changed: k 1 → 2", "between": reason, "see": reason}
    two = seen(home)
    assert two != one
    assert set(again(home, overrides=("first.k=2",)).values()) == {"cached"}
    assert seen(home) == two


def test_a_run_from_a_step_on_sees_what_those_before_it_left(
    control: dict[str, Any], make_solution: MakeSolution, again: Again
) -> None:
    steps = {"first": f"k = str(self.args['k'])\n{PLACES['models']}", "see": SEE}
    home = make_solution(steps, args={"first": {"k": 1}}, **control)
    again(home)
    again(home, overrides=("first.k=2",), last="first")

    again(home, first="see", overrides=("first.k=2",))

    assert seen(home)["train_artifacts/models/first/scaler.json"] == "2"


WORKS = """\
model, output = Path(self.asset.get_model_path()), Path(self.asset.get_output_path())
Path(self.asset.get_input_path(), "data/derived.csv").write_text("derived")
(output / "gone").write_text("gone")
(output / "empty").mkdir()
(output / "was_file").write_text("file")
(output / "was_folder").mkdir()
(output / "was_folder/inner").write_text("inner")
(output / "was_link").symlink_to("gone")
(model / "big").write_text("weights")
"""
TURNS = """\
import os
output = Path(self.asset.get_output_path())
models = output.parent / "models/first"
(output / "gone").unlink()
(output / "empty").rmdir()
(output / "was_file").unlink()
(output / "was_file").mkdir()
(output / "was_folder/inner").unlink()
(output / "was_folder").rmdir()
(output / "was_folder").write_text("file")
(output / "was_link").unlink()
(output / "was_link").mkdir()
(output / "was_link/inner").write_text("x")
os.link(models / "big", output / "twin")
"""
GROWS = """\
with open(Path(self.asset.get_output_path(), "twin"), "a") as file:
    file.write(str(self.args["k"]))
"""


def test_whatever_steps_did_to_files_is_done_again(
    control: dict[str, Any], make_solution: MakeSolution, again: Again
) -> None:
    steps = {"first": WORKS, "turn": TURNS, "grow": GROWS, "see": SEE}
    home = make_solution(steps, args={"grow": {"k": 1}}, **control)
    again(home, overrides=("grow.k=2",))
    expected = seen(home)
    again(home)

    notes = again(home, overrides=("grow.k=2",))
    assert set(notes.values()) == {"cached"}
    assert seen(home) == expected

    shutil.rmtree(home / "train_artifacts")
    (home / "input/train/data/derived.csv").unlink()
    notes = again(home, overrides=("grow.k=3",))

    assert (notes["first"], notes["turn"]) == ("cached", "cached")
    assert seen(home)["train_artifacts/output/twin"] == "weights3"
    assert seen(home)["train_artifacts/models/first/big"] == "weights3"
    assert {**seen(home), **expected} == expected


LINKS = """\
import os
model = Path(self.asset.get_model_path())
(model / "deep").mkdir()
(model / "deep/weights").write_text("weights")
(Path(self.asset.project_home) / "outside").mkdir(exist_ok=True)
(Path(self.asset.project_home) / "outside/file").write_text("outside")
for name, target in {
    "self": ".",
    "up": "..",
    "loop": "loop",
    "file": "deep/weights",
    "folder": "deep",
    "absolute": model / "deep/weights",
    "out": Path(self.asset.project_home) / "outside/file",
    "relative_out": "../../../outside",
    "nowhere": "no/such/file",
}.items():
    os.symlink(target, model / name)
"""


def links_in(folder: Path) -> dict[str, str]:
    return {path.name: os.readlink(path) for path in folder.iterdir() if path.is_symlink()}


@pytest.mark.parametrize("mode", ["memory", "file"])
@pytest.mark.parametrize("cache", [False, True])
def test_links_in_the_artifacts_are_the_same_however_a_step_is_run(
    mode: str, cache: bool, make_solution: MakeSolution, again: Again
) -> None:
    control = {"cache": cache, "interface_mode": mode}
    home = make_solution({"first": LINKS, "see": SEE}, control=control)
    again(home)
    expected = links_in(home / "train_artifacts/models/first")
    before = seen(home)

    notes = again(home)

    assert set(notes.values()) == {"cached" if cache else ""}
    assert links_in(home / "train_artifacts/models/first") == expected
    assert len(expected) == 9
    assert seen(home) == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("1", "true"),
        ("1", "1.0"),
        ("0.0", "-0.0"),
        ("2026-03-01", "'2026-03-01'"),
        ("{0: a}", "{'0': a}"),
        ("{1: a}", "{true: a}"),
        (".nan", "'nan'"),
        ("[1]", "!!set {1: }"),
        ("!!pairs [a: 1]", "[[a, 1]]"),
        ("!!binary YQ==", "a"),
        ("{a: 1, b: 2}", "{b: 2, a: 1}"),
        ("12345678901234567890", "12345678901234567890.0"),
    ],
)
def test_an_arg_of_another_type_is_another_arg(
    before: str, after: str, make_solution: MakeSolution, again: Again
) -> None:
    home = make_solution({"one": ""}, args={"one": {"n": 0}}, control={"cache": True})
    again(home, overrides=(f"one.n={before}",))
    assert again(home, overrides=(f"one.n={before}",)) == {"one": "cached"}

    notes = again(home, overrides=(f"one.n={after}",))

    assert notes["one"].startswith("args changed: n ")
    reported = notes["one"].removeprefix("args changed: n ").split(" → ")
    assert reported[0] != reported[1]


def test_args_in_another_order_are_others_for_an_asset_that_goes_through_them(
    make_solution: MakeSolution, again: Again
) -> None:
    code = {"one": "self.data['order'] = list(self.args)"}
    home = make_solution(code, args={"one": {"a": 1, "b": 2}}, control={"cache": True})
    again(home)
    make_solution(code, args={"one": {"b": 2, "a": 1}}, control={"cache": True})

    assert again(home) == {"one": "args changed: their order"}


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        (
            {"control": {"cache": True, "interface_mode": "file"}},
            "interface_mode 'memory' → 'file'",
        ),
        ({"external": {"save_inference_artifacts_path": "out"}}, "save_inference_artifacts_path"),
        ({"steps": {"zero": "", "one": ""}}, "num_step 0 → 1"),
        ({"steps": {"one": "", "one2": ""}}, "namesakes one → one, one2"),
    ],
)
def test_all_that_an_asset_is_reported_counts(
    change: dict[str, Any], reported: str, make_solution: MakeSolution, again: Again
) -> None:
    usual: dict[str, Any] = {"steps": {"one": ""}, "control": {"cache": True}}
    home = make_solution(usual["steps"], control=usual["control"])
    again(home)
    changed = {**usual, **change}
    make_solution(changed.pop("steps"), **changed)

    note = again(home)["one"]

    assert note.startswith("its place in the run changed: ") or "hands on" in note
    assert reported in note or "hands on" in note


def test_a_project_that_has_moved_runs_again_for_assets_know_where_they_are(
    make_solution: MakeSolution, again: Again, tmp_path: Path
) -> None:
    home = make_solution(
        {"one": "self.config['at'] = self.asset.get_model_path()"}, control={"cache": True}
    )
    again(home)
    moved = tmp_path / "moved"
    home.rename(moved)

    assert "project_home" in again(moved)["one"]


TRAIN = """\
Path(self.asset.get_model_path(), "m").write_text("model")
Path(self.asset.get_extra_output_path(), "limit").write_text(str(self.args["k"]))
self.asset.save_summary("trained", 0.5)
"""
INFERENCE = """\
limit = Path(self.asset.project_home, "train_artifacts/extra_output/train/limit").read_text()
Path(self.asset.get_output_path(), "a.csv").write_text(limit)
self.asset.save_summary(limit, 1)
"""


def test_an_inference_depends_on_whatever_the_train_run_left_but_not_on_when(
    make_solution: MakeSolution, again: Again
) -> None:
    home = make_solution(
        {"train": TRAIN},
        {"inference": INFERENCE},
        args={"train": {"k": 1}},
        beside={"train": {"cache": False}},
        control={"cache": True},
    )
    again(home)
    summary = home / "train_artifacts/score/train_summary.yaml"
    summary.write_text(summary.read_text().replace("date: '20", "date: '19"))

    assert again(home, mode="inference") == {"inference": "cached"}
    again(home, mode="train", overrides=("train.k=2",))

    assert again(home, mode="inference") == {"inference": "other train artifacts changed"}
    assert (home / "inference_artifacts/output/a.csv").read_text() == "2"


def test_a_password_in_a_url_counts_and_is_kept_nowhere(
    make_solution: MakeSolution, again: Again
) -> None:
    url = "https://me:{}@host/data?sig={}"
    home = make_solution({"one": ""}, args={"one": {"at": 0}}, control={"cache": True})
    again(home, overrides=(f"one.at={url.format('hunter2', 'a')}",))

    notes = again(home, overrides=(f"one.at={url.format('hunter3', 'a')}",))

    assert notes["one"].startswith("args changed: at 'https://host/data' (")
    assert again(home, overrides=(f"one.at={url.format('hunter3', 'a')}",)) == {"one": "cached"}
    kept = list((home / ".asset_interface/results").rglob("*.json"))
    assert kept
    assert not any(b"hunter" in file.read_bytes() for file in kept)


@pytest.mark.parametrize("what", ["file", "folder", "models"])
def test_a_model_behind_a_link_counts_with_what_is_there(
    what: str, make_solution: MakeSolution, again: Again, tmp_path: Path
) -> None:
    use = """\
    found = Path(self.asset.get_model_path(), "weights").read_text()
    self.asset.save_summary(found, 1)
    Path(self.asset.get_output_path(), "a.csv").write_text("")
    """
    home = make_solution({"train": ""}, {"inference": dedent(use)}, control={"cache": True})
    outside = tmp_path / "outside"
    (outside / "train").mkdir(parents=True)
    (outside / "train/weights").write_text("1")
    (outside / "train/up").symlink_to(outside)
    (outside / "other").symlink_to(outside / "train")
    models = home / "train_artifacts/models"
    links = {
        "file": (models / "train/weights", outside / "train/weights"),
        "folder": (models / "train", outside / "train"),
        "models": (models, outside),
    }
    link, target = links[what]
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    (outside / "train/weights").write_text("1")
    again(home, mode="inference")
    assert again(home, mode="inference") == {"inference": "cached"}

    (outside / "train/weights").write_text("2")

    assert again(home, mode="inference") == {"inference": "model changed"}
