"""The loop of spec 9 on a real Redis: what it answers, exports, publishes and keeps."""

from __future__ import annotations

import json
import signal
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ...support.waiting import PATIENCE_S
from ..conftest import OUTPUT, Edge, RunningLoop
from .conftest import KEEP, do, next_of, numbered, results

MakeSolution = Callable[..., Path]
StartLoop = Callable[..., RunningLoop]


def test_a_request_is_answered_on_both_lists_and_its_way_is_published(
    home: Path, loop: StartLoop, edge: Edge, tmp_path: Path
) -> None:
    heard = edge.redis.pubsub()
    heard.subscribe("alo_status")
    loop(home)

    summary, artifacts = edge.ask(
        artifact_uri=f"{tmp_path}/out/", args={"input": {"word": "hello"}}
    )

    assert summary == artifacts
    assert summary["status"] == "success"
    assert summary["message"]["result"] == "hello"
    with tarfile.open(tmp_path / "out/inference_artifacts.tar.gz") as archive:
        assert "output/out.csv" in archive.getnames()
    assert edge.left() == {}
    statuses: list[str] = []
    while statuses.count("waiting") < 2:
        statuses.append(next_of(heard))
    assert statuses == [
        *("booting", "waiting", "setup", "load", "run"),
        *("run.input", "run.inference", "run.output", "save", "waiting"),
    ]
    heard.close()


@pytest.mark.parametrize(
    ("content", "code", "text"),
    [
        (b"not json", "E111", "not JSON"),
        (b"[1]", "E111", "not an object"),
        (b'{"solution_metadata": 5}', "E111", "not an object"),
        ({"solution_metadata": {"name": "x"}}, "E112", "pipeline"),
        ({"solution_metadata": {"pipeline": [{"type": "train"}]}}, "E122", "dataset_uri"),
        ("unknown step", "E112", "nowhere"),
        ("no data", "E141", "does not exist"),
        ("no model", "E141", "does not exist"),
        ("raise", "E152", "as was asked"),
        ("exit", "E152", "exit(3)"),
        ("two tables", "E161", "other.csv"),
        ("no export", "E162", "cannot"),
    ],
)
def test_what_goes_wrong_has_its_code_and_the_next_request_works(
    home: Path, loop: StartLoop, edge: Edge, tmp_path: Path, content: object, code: str, text: str
) -> None:
    (tmp_path / "file").touch()
    options: dict[str, Any] = {
        "unknown step": {"args": {"nowhere": {"a": 1}}},
        "no data": {"dataset_uri": [f"{tmp_path}/gone/"]},
        "no model": {"model_uri": f"{tmp_path}/gone/"},
        "no export": {"artifact_uri": f"{tmp_path}/file/below/"},
    }.get(str(content), do(str(content)))
    heard = edge.redis.pubsub()
    heard.subscribe("alo_fail")
    loop(home)

    answers = edge.ask(**options) if isinstance(content, str) else edge.ask(content)

    sent = "success" if code == "E162" else "fail"
    assert [answer["status"] for answer in answers] == [sent, "fail"]
    assert text in answers[1]["message"]
    if code == "E152" and content == "raise":
        assert answers[1]["message"].startswith("Traceback (most recent call last):")
    assert json.loads(next_of(heard))["ERROR_CODE"] == code
    heard.close()
    assert edge.ask(args={"input": {"word": "next"}})[0]["message"]["result"] == "next"
    assert edge.left() == {}


@pytest.mark.parametrize("kind", ["raise", "two tables", "no data"])
def test_a_failed_request_is_exported_as_far_as_it_came_before_fail_is_sent(
    home: Path, loop: StartLoop, edge: Edge, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / "out"
    loop(home)
    edge.ask(artifact_uri=f"{out}/")
    archive = (out / "inference_artifacts.tar.gz").read_bytes()
    options = {"dataset_uri": [f"{tmp_path}/gone/"]} if kind == "no data" else do(kind)

    answers = edge.ask(artifact_uri=f"{out}/", **options)

    assert [answer["status"] for answer in answers] == ["fail", "fail"]
    assert sorted(path.name for path in out.iterdir()) == [
        "inference_artifacts-error.tar.gz",
        "inference_artifacts.tar.gz",
        "pipeline.log",
        "process.log",
    ]
    assert (out / "inference_artifacts.tar.gz").read_bytes() == archive
    reason = answers[0]["message"].splitlines()[-1].strip()
    assert reason.split(": ")[-1] in (out / "process.log").read_text()
    with tarfile.open(out / "inference_artifacts-error.tar.gz") as failed:
        assert "log/process.log" in failed.getnames()


def test_a_failed_request_that_cannot_be_exported_is_reported_as_it_failed(
    home: Path, loop: StartLoop, edge: Edge, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    loop(home)

    answers = edge.ask(artifact_uri=f"{tmp_path}/file/below/", **do("raise"))

    assert [answer["status"] for answer in answers] == ["fail", "fail"]
    assert "as was asked" in answers[0]["message"]
    assert answers[0] == answers[1]


def test_an_asset_that_cannot_be_made_has_its_own_code(
    make_solution: MakeSolution, loop: StartLoop, edge: Edge
) -> None:
    code = """
        from alolib.asset import Asset
        class UserAsset(Asset):
            def __init__(self, asset_structure):
                super().__init__(asset_structure)
                raise ValueError("in init")
            def run(self):
                pass
    """
    heard = edge.redis.pubsub()
    heard.subscribe("alo_fail")
    loop(make_solution(inference={"inference": code}, control=KEEP))

    assert "in init" in edge.ask()[0]["message"]

    assert json.loads(next_of(heard))["ERROR_CODE"] == "E151"
    heard.close()


def test_metadata_is_applied_to_the_plan_as_it_was_at_boot(
    home: Path, loop: StartLoop, edge: Edge, tmp_path: Path
) -> None:
    loop(home)
    edge.ask(artifact_uri=f"{tmp_path}/out/", args={"input": {"word": "first"}})
    before = (tmp_path / "out/inference_artifacts.tar.gz").stat().st_mtime_ns

    summary, artifacts = edge.ask()

    assert summary["message"]["result"] == "none"
    assert artifacts["status"] == "success"
    assert (tmp_path / "out/inference_artifacts.tar.gz").stat().st_mtime_ns == before


def test_the_summary_has_the_version_of_the_metadata_of_its_request(
    home: Path, loop: StartLoop, edge: Edge
) -> None:
    loop(home)
    versions = []
    for version in ("1.2", "2.0", None, 3):
        content = {**edge.metadata(), "metadata_version": version}
        edge.send({"solution_metadata": content})
        summary, _ = edge.answers()
        versions.append(summary["message"]["version"])

    assert versions == ["v1.2", "v2.0", "", "v3"]


def test_each_request_has_clean_folders_and_its_own_data(
    make_solution: MakeSolution, loop: StartLoop, edge: Edge, tmp_path: Path
) -> None:
    code = f"""
inside = Path(self.asset.get_input_path())
names = sorted(path.name for path in inside.rglob("*") if path.is_file())
(inside / "left").write_text("x")
Path(self.asset.get_extra_output_path(), "left").write_text("x")
extra = Path(self.asset.get_extra_output_path())
self.data["result"] = f"{{names}} {{len(list(extra.iterdir()))}}"
{OUTPUT}
"""
    home = make_solution(inference={"inference": code}, control=KEEP)
    other = tmp_path / "other"
    other.mkdir()
    (other / "y.csv").write_text("b")
    loop(home)

    results = [edge.ask()[0]["message"]["result"] for _ in range(2)]
    results.append(edge.ask(dataset_uri=[f"{other}/"])[0]["message"]["result"])

    assert results == ["['x.csv'] 1", "['x.csv'] 1", "['y.csv'] 1"]


def test_links_that_a_request_leaves_lead_the_next_one_nowhere(
    make_solution: MakeSolution, loop: StartLoop, edge: Edge, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("x")
    code = f"""
import shutil

artifacts = Path(self.asset.get_extra_output_path()).parents[1]
inside, elsewhere = Path(self.asset.get_input_path()), Path({str(elsewhere)!r})
logs = len(list((artifacts / "log").iterdir()))
self.data["result"] = f"{{logs}} {{inside.is_symlink()}} {{artifacts.is_symlink()}}"
{OUTPUT}
(artifacts / "log" / "left").write_text("x")
shutil.copytree(artifacts, elsewhere / "artifacts", dirs_exist_ok=True)
for folder, target in ((artifacts, elsewhere / "artifacts"), (inside, elsewhere)):
    shutil.rmtree(folder)
    folder.symlink_to(target)
"""
    home = make_solution(inference={"inference": code}, control=KEEP)
    loop(home)

    results = [edge.ask()[0]["message"]["result"] for _ in range(2)]

    assert results == ["0 False False"] * 2  # log files are made once there is something to say
    assert (elsewhere / "precious").read_text() == "x"
    assert (elsewhere / "artifacts" / "log" / "left").exists()


def test_the_model_is_that_of_boot_whatever_is_trained_meanwhile(
    make_solution: MakeSolution,
    run: Callable[..., Any],
    loop: StartLoop,
    edge: Edge,
    tmp_path: Path,
) -> None:
    train = "Path(self.asset.get_model_path(), 'm').write_text(str(self.args['word']))"
    use = (
        "loads = []\n"
        "def load():\n    loads.append(1)\n"
        "    return Path(self.asset.get_model_path(), 'm').read_text()\n"
        "text = self.asset.load_once('m', load)\n"
        f"self.data['result'] = f'{{text}} {{len(loads)}}'\n{OUTPUT}"
    )
    home = make_solution(
        {"train": train}, {"inference": use}, args={"train": {"word": "one"}}, control=KEEP
    )
    run(home, mode="train")
    running = loop(home)
    assert edge.ask()[0]["message"]["result"] == "one 1"
    run(home, mode="train", overrides=("train.word=two",))

    assert edge.ask()[0]["message"]["result"] == "one 0"
    brought = tmp_path / "brought" / "train"
    brought.mkdir(parents=True)
    (brought / "m").write_text("brought")
    assert edge.ask(model_uri=f"{tmp_path}/brought/")[0]["message"]["result"] == "brought 1"
    assert edge.ask()[0]["message"]["result"] == "one 0"
    assert running.end() == 0
    loop(home)
    # Loaded once, when the loop that started had its model answer the last request as a check.
    assert edge.ask()[0]["message"]["result"] == "two 0"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_loop_after_the_request_in_hand(
    number: signal.Signals, home: Path, loop: StartLoop, edge: Edge
) -> None:
    running = loop(home)
    numbered(edge, 2, "slow")
    edge.wait_until_taken()

    assert running.end(number) == 0

    assert results(edge, 1) == ["n0"]
    assert edge.left() == {"request_inference": 1}
    assert not list((home / ".alo/serve").iterdir())


def test_several_loops_share_a_queue(home: Path, loop: StartLoop, edge: Edge) -> None:
    loop(home)
    loop(home, "--workers", "2")
    numbered(edge, 30)

    assert sorted(results(edge, 30)) == sorted(f"n{number}" for number in range(30))
    assert edge.left() == {}


def test_history_has_the_requests_where_artifacts_are_kept(
    make_solution: MakeSolution, loop: StartLoop, edge: Edge, alo: Callable[..., Any]
) -> None:
    home = make_solution(inference={"inference": OUTPUT})
    running = loop(home)
    for _ in range(3):
        edge.ask()
    running.end()

    runs = json.loads(alo("history", "--json", cwd=home).stdout)

    assert [run["status"] for run in runs] == ["success"] * 3
    entries = list(home.glob("history/inference/*"))
    assert all((entry / "output/out.csv").is_file() for entry in entries)
    log = (entries[0] / "log/process.log").read_text()
    assert "request " in log


@pytest.mark.parametrize(
    ("control", "source", "code"),
    [
        ({"nonsense": 1}, None, "E121"),
        (KEEP, {"inference": {"code": "/nowhere/at/all"}}, "E132"),
        (KEEP, {"inference": {"requirements": ["alo-never-seen>=3"]}}, "E131"),
    ],
)
def test_what_keeps_a_loop_from_booting_is_published(
    make_solution: MakeSolution,
    loop: StartLoop,
    edge: Edge,
    control: dict[str, Any],
    source: dict[str, Any] | None,
    code: str,
) -> None:
    heard = edge.redis.pubsub()
    heard.subscribe("alo_fail")
    has_code = source and "code" in source["inference"]
    steps = {"inference": None if has_code else OUTPUT}
    home = make_solution(inference=steps, control=control, source=source)

    assert loop(home, is_ready=False).process.wait(PATIENCE_S) != 0

    assert json.loads(next_of(heard))["ERROR_CODE"] == code
    heard.close()
