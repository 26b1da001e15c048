"""The loop of spec 9 on a real Redis: every request is answered, whatever dies meanwhile."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ...waiting import PATIENCE_S, wait_until
from ..conftest import OUTPUT, Edge, RedisServer, RunningLoop

MakeSolution = Callable[..., Path]
StartLoop = Callable[..., RunningLoop]
Run = Callable[..., Any]

KEEP = {"backup_artifacts": False}
ECHO = """
self.data["result"] = str(self.args.get("word", "none"))
"""


@pytest.fixture
def home(make_solution: MakeSolution) -> Path:
    """A solution whose result is an arg, and that does what another arg says."""
    trouble = """
        import ctypes, os, sys, time
        what = self.args.get("do", "")
        if what == "raise":
            raise ValueError("as was asked")
        if what == "exit":
            sys.exit(3)
        if what == "segfault":
            ctypes.string_at(0)
        if what == "hang":
            time.sleep(600)
        if what == "slow":
            time.sleep(0.3)
        if what == "two tables":
            Path(self.asset.get_output_path(), "other.csv").write_text("a")
    """
    steps = {"input": ECHO, "inference": trouble, "output": OUTPUT}
    return make_solution(inference=steps, control=KEEP)


def next_of(heard: Any) -> str:
    """The next message that is published."""

    def look() -> str:
        message = heard.get_message(timeout=0.1)
        return message["data"].decode() if message and message["type"] == "message" else ""

    return wait_until(look)


def do(what: str) -> dict[str, Any]:
    return {"args": {"inference": {"do": what}}}


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


def test_a_failed_request_that_cannot_be_exported_is_told_as_it_failed(
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


def test_a_request_that_kills_its_worker_twice_is_put_aside(
    home: Path, loop: StartLoop, edge: Edge, redis_server: RedisServer, alo: Callable[..., Any]
) -> None:
    loop(home)

    summary, artifacts = edge.ask(**do("segfault"))

    assert summary == artifacts
    assert summary["status"] == "fail"
    assert "SIGSEGV" in summary["message"]
    assert edge.ask()[0]["status"] == "success"
    assert edge.left() == {"request_inference:dead": 1}
    words = ["--redis", redis_server.url]
    listed = alo("loop", "dead", "list", *words)
    assert "1  20" in listed.stdout
    assert "SIGSEGV" in listed.stdout
    assert json.loads(alo("loop", "dead", "list", "--json", *words).stdout)[0]["number"] == 1
    assert (
        alo("loop", "dead", "replay", "1", *words).stdout == "1 requests put back into the queue\n"
    )
    assert edge.answers()[0]["status"] == "fail"
    assert alo("loop", "dead", "drop", "7", *words).returncode == 2
    assert alo("loop", "dead", "drop", *words).stdout == "1 requests deleted\n"
    assert alo("loop", "dead", "list", *words).stdout == "no request was given up\n"


def test_a_request_that_hangs_is_ended_and_the_next_one_works(
    home: Path, loop: StartLoop, edge: Edge
) -> None:
    loop(home, "--request-timeout", "2")

    summary, _ = edge.ask(**do("hang"))

    assert "longer than its timeout of 2 s" in summary["message"]
    assert edge.ask()[0]["status"] == "success"
    assert edge.left() == {}


def numbered(edge: Edge, count: int, what: str = "") -> None:
    for number in range(count):
        edge.send(args={"input": {"word": f"n{number}"}, "inference": {"do": what}})


def results(edge: Edge, count: int) -> list[str]:
    found = []
    for _ in range(count):
        summary, artifacts = edge.answers()
        assert summary["status"] == artifacts["status"] == "success", summary
        found.append(summary["message"]["result"])
    return found


def all_answered(edge: Edge, count: int) -> None:
    """Take answers until each of so many has come; after a fault one may come twice."""
    missing = {f"n{number}" for number in range(count)}
    while missing:
        missing -= set(results(edge, 1))


def test_workers_that_are_killed_cost_no_request(home: Path, loop: StartLoop, edge: Edge) -> None:
    running = loop(home)
    numbered(edge, 60)
    answered: list[str] = []
    kills = 0
    while len(set(answered)) < 60:
        if kills < 5 and len(answered) >= 10 * kills:
            kills += 1
            time.sleep(random.uniform(0, 0.02))  # noqa: S311 - any moment will do
            for pid in running.workers():
                os.kill(pid, signal.SIGKILL)
        found = edge.redis.blpop("inference_artifacts", PATIENCE_S)
        assert found, running.log.read_text()
        answered.append(json.loads(found[1])["message"]["result"])

    assert running.process.poll() is None, running.log.read_text()
    summaries = {
        json.loads(text)["message"]["result"]
        for text in edge.redis.lrange("inference_summary", 0, -1)
    }
    assert summaries == set(answered)


def test_a_worker_that_dies_while_it_boots_again_is_started_once_more(
    make_solution: MakeSolution, loop: StartLoop, edge: Edge, tmp_path: Path
) -> None:
    home = make_solution(inference={"inference": f"{ECHO}\n{OUTPUT}"}, control=KEEP)
    asset, crashes = home / "assets/inference/asset_inference.py", tmp_path / "crashes"
    die = f"""
import os, pathlib
crashes = pathlib.Path({str(crashes)!r})
if crashes.exists() and crashes.stat().st_size < 2:
    crashes.write_text(crashes.read_text() + "x")
    os.kill(os.getpid(), 9)
"""
    asset.write_text(f"{die}\n{asset.read_text()}")
    running = loop(home)
    crashes.write_text("")
    for pid in running.workers():
        os.kill(pid, signal.SIGKILL)

    assert edge.ask()[0]["status"] == "success"
    assert crashes.read_text() == "xx"
    assert running.log.read_text().count("starting it again") == 2


def test_a_loop_that_is_killed_is_followed_by_one_that_continues(
    home: Path, loop: StartLoop, edge: Edge
) -> None:
    running = loop(home)
    numbered(edge, 5, "slow")
    edge.wait_until_taken()
    running.end(signal.SIGKILL)
    loop(home)

    all_answered(edge, 5)
    wait_until(lambda: set(edge.left()) <= {"inference_summary", "inference_artifacts"}, edge.left)


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


def test_redis_may_be_away_at_start_and_in_the_middle(
    home: Path,
    loop: StartLoop,
    edge: Edge,
    redis_server: RedisServer,
    alo: Callable[..., Any],
) -> None:
    redis_server.kill()
    running = loop(home, is_ready=False)
    running.wait_until("Redis is away")
    (told,) = json.loads(alo("loop", "status", "--json", cwd=home).stdout)
    assert (told["pid"], told["status"]) == (running.process.pid, "redis is away")
    redis_server.start()
    running.wait_until("serving requests")
    assert "serving since" in alo("loop", "status", cwd=home).stdout
    numbered(edge, 3, "slow")
    edge.wait_until_taken()

    redis_server.kill()
    wait_until(lambda: running.log.read_text().count("Redis is away") == 2)
    redis_server.start()

    all_answered(edge, 3)
    assert edge.ask(args={"input": {"word": "later"}})[0]["message"]["result"] == "later"


def test_a_redis_that_stands_still_costs_nothing(
    home: Path, loop: StartLoop, edge: Edge, redis_server: RedisServer
) -> None:
    loop(home)
    numbered(edge, 2, "slow")
    edge.wait_until_taken()

    redis_server.process.send_signal(signal.SIGSTOP)
    time.sleep(1)  # longer than a request takes
    redis_server.process.send_signal(signal.SIGCONT)

    all_answered(edge, 2)


def test_a_connection_that_is_cut_costs_nothing(home: Path, loop: StartLoop, edge: Edge) -> None:
    loop(home)
    numbered(edge, 3, "slow")
    for _ in range(4):
        time.sleep(0.15)  # any moments of the three will do
        edge.redis.client_kill_filter(_type="normal", skipme=True)

    all_answered(edge, 3)


def test_a_redis_that_forgets_all_still_gets_the_answer_in_hand(
    home: Path, loop: StartLoop, edge: Edge, redis_server: RedisServer
) -> None:
    loop(home)
    numbered(edge, 1, "slow")
    edge.wait_until_taken()

    redis_server.kill(forget=True)
    redis_server.start()

    assert results(edge, 1) == ["n0"]
    assert edge.ask()[0]["status"] == "success"


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


def test_a_redis_without_room_is_waited_for(
    home: Path, loop: StartLoop, edge: Edge, redis_server: RedisServer
) -> None:
    running = loop(home)
    edge.ask()
    numbered(edge, 3, "slow")
    redis_server.client.config_set("maxmemory", "1")
    running.wait_until("Redis is away")
    redis_server.client.config_set("maxmemory", "0")

    assert results(edge, 3) == ["n0", "n1", "n2"]
    running.wait_until("Redis is back")
    assert edge.left() == {}


@pytest.mark.parametrize("name", ["request_inference", "inference_summary", "inference_artifacts"])
def test_a_key_of_another_kind_is_waited_for_and_nothing_is_lost(
    home: Path, loop: StartLoop, edge: Edge, name: str
) -> None:
    running = loop(home)
    edge.redis.set(name, "no list")
    if name != "request_inference":
        edge.send()

    running.wait_until("Redis refuses (WRONGTYPE")
    edge.redis.delete(name)
    if name == "request_inference":
        edge.send()

    assert [answer["status"] for answer in edge.answers()] == ["success", "success"]
    assert edge.left() == {}
    running.wait_until("Redis is back")
    assert running.end() == 0
    assert "Traceback" not in running.log.read_text()


def test_a_redis_that_refuses_from_the_beginning_ends_the_loop_with_an_error(
    home: Path, redis_server: RedisServer
) -> None:
    redis_server.client.config_set("requirepass", "secret")
    done = subprocess.run(
        [sys.executable, "-m", "alo.cli.main", "run", "--loop", "--redis", redis_server.url],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )

    assert done.returncode == 1
    assert "Redis refuses" in done.stderr
    assert "fix:" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("deep", [500, 5000, 50_000])
def test_a_request_that_is_nested_too_deeply_costs_itself_only(
    home: Path, loop: StartLoop, edge: Edge, deep: int
) -> None:
    running = loop(home)
    nested = "[" * deep + "]" * deep

    edge.send(f'{{"solution_metadata": {{"a": {nested}}}}}'.encode())
    answers = edge.answers()

    assert [answer["status"] for answer in answers] == ["fail", "fail"]
    assert edge.ask()[0]["status"] == "success"
    assert edge.left() == {}
    assert running.end() == 0


def test_a_fault_of_the_loop_itself_is_counted_answered_and_survived(
    home: Path, loop: StartLoop, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is: here the loop's own code is broken for one kind of request."""
    broken = home.parent / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import sys\n"
        "if sys.argv[1:2] == ['run']:\n"
        "    from alo.serve.redis_queue import consumer\n"
        "    right = consumer._request\n"
        "    def wrong(content):\n"
        "        if 'poison' in str(content):\n            raise KeyError('a fault')\n"
        "        return right(content)\n"
        "    consumer._request = wrong\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(broken))
    running = loop(home)

    poisoned = edge.ask(b'{"solution_metadata": {"poison": 1}}')

    assert [answer["status"] for answer in poisoned] == ["fail", "fail"]
    assert "a fault" in poisoned[0]["message"]
    assert edge.ask()[0]["status"] == "success"
    assert edge.left() == {}
    assert running.end() == 0


def test_a_worker_that_dies_while_it_is_free_costs_no_request_a_try(
    home: Path, loop: StartLoop, edge: Edge
) -> None:
    running = loop(home)
    for _ in range(3):
        assert edge.ask()[0]["status"] == "success"
        for pid in running.workers():
            os.kill(pid, signal.SIGKILL)

    assert edge.ask()[0]["status"] == "success"
    assert running.end() == 0


def test_a_loop_outlives_its_internal_folder(home: Path, loop: StartLoop, edge: Edge) -> None:
    running = loop(home)
    assert edge.ask()[0]["status"] == "success"

    shutil.rmtree(home / ".alo", ignore_errors=True)  # the worker may be at work in it

    assert edge.ask()[0]["status"] == "success"
    running.wait_until("serving")
    assert running.end() == 0


def test_what_others_have_put_among_the_dead_is_shown_too(
    home: Path, edge: Edge, redis_server: RedisServer
) -> None:
    edge.redis.rpush("request_inference:dead", "what?")
    command = [sys.executable, "-m", "alo.cli.main", "loop", "dead", "--json"]
    done = subprocess.run(
        [*command, "--redis", redis_server.url],
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
    )

    (letter,) = json.loads(done.stdout)
    assert letter["request"] == "what?"


def test_an_asset_that_fills_the_disk_fails_and_the_next_request_works(
    make_solution: MakeSolution, small_disk: Callable[..., Path], loop: StartLoop, edge: Edge
) -> None:
    fill = (
        "if self.args.get('do') == 'fill':\n"
        "    Path(self.asset.get_extra_output_path(), 'x').write_bytes(bytes(40_000_000))\n"
    )
    disk = small_disk(16, lazily=True)
    home = make_solution(
        inference={"inference": f"{fill}{OUTPUT}"}, control=KEEP, home=disk / "project"
    )
    running = loop(home)

    assert "No space left" in edge.ask(**do("fill"))[0]["message"]
    assert edge.ask()[0]["status"] == "success"
    assert running.end() == 0


def test_an_asset_that_cannot_be_imported_ends_the_loop_with_its_error(
    make_solution: MakeSolution, loop: StartLoop
) -> None:
    home = make_solution(inference={"inference": "pass"}, control=KEEP)
    asset = home / "assets/inference/asset_inference.py"
    asset.write_text(f"import helper\n{asset.read_text()}")
    (asset.parent / "helper.py").write_text("raise ValueError('at import')")

    running = loop(home, is_ready=False)

    assert running.process.wait(PATIENCE_S) == 1
    assert "ValueError: at import" in running.log.read_text()
    assert "fault in ALO" not in running.log.read_text()
