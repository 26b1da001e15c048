"""What the machine does to a studio: full disks, folders that are deleted, clocks set back."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from PIL import Image
from tests.review.conftest import create_review
from tests.support.postgres_server import PostgresServer
from tests.support.waiting import wait_until

from alo.ui.screens import overview
from alo.ui.studio import Studio

from .conftest import TOKEN, Browse, MakeStudio

OWN = {"Origin": "http://127.0.0.1:8811"}
WANTED = {"pipeline": "train", "args": {"train": {"x": 3}}, "key": "k"}


@pytest.fixture
def studio_disk(home: Path) -> Iterator[Path]:
    """``studio/`` of the project, on a file system of its own that is soon full."""
    folder = home / "studio"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    path = folder / "filler"
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    return path


def test_on_a_full_disk_nothing_is_half_done_and_it_is_said(
    studio_disk: Path, make_studio: MakeStudio, browse: Browse
) -> None:
    studio = make_studio(needs_sign_in=False)
    client = browse(studio)
    filler = fill(studio_disk)

    refused = client.post("/runs", json=WANTED, headers=OWN)

    assert (refused.status_code, refused.json()["error"]["where"]) == (
        507,
        str(studio_disk / "studio.sqlite"),
    )
    assert client.get("/runs").status_code == 200
    filler.unlink()
    assert client.post("/runs", json=WANTED, headers=OWN).status_code == 202
    assert client.get("/jobs.json").json()["total"] == 1
    assert [each.act for each in studio.audit.changes()] == ["run"]


def test_a_job_that_cannot_begin_for_want_of_room_waits_for_it(
    studio_disk: Path, make_studio: MakeStudio
) -> None:
    jobs = make_studio().jobs
    job = jobs.add(["--version"], "train", "ada")
    filler = fill(studio_disk)

    with pytest.raises(Exception, match=r"full|No space"):
        jobs.look()

    assert jobs.find(job.id).state == "queued"
    filler.unlink()
    jobs.look()
    assert jobs.find(job.id).state == "running"


def test_a_job_that_ends_on_a_full_disk_is_noted_when_there_is_room(
    studio_disk: Path, home: Path, make_studio: MakeStudio
) -> None:
    gate = home / "gate"
    asset = home / "assets/train/asset_train.py"
    wait = f"import os, time\n        while not os.path.exists({str(gate)!r}): time.sleep(0.02)"
    asset.write_text(asset.read_text().replace('print("depth", x)', wait))
    studio = make_studio()
    jobs = studio.jobs
    job = jobs.add(["run", "--mode", "train", "--json"], "train", "ada")
    wait_until(lambda: jobs.look() or bool(jobs.find(job.id).run))  # type: ignore[func-returns-value]
    run_id = jobs.find(job.id).run
    filler = fill(studio_disk)
    gate.touch()
    wait_until(lambda: studio.history.look_up(run_id).status != "running")

    assert jobs.find(job.id).state == "running"
    filler.unlink()

    wait_until(lambda: jobs.look() or not jobs.find(job.id).is_open)  # type: ignore[func-returns-value]
    assert studio.history.look_up(run_id).status == "success"
    assert jobs.find(job.id).state == "success"


def test_without_room_for_what_is_made_of_files_these_are_shown_all_the_same(
    home: Path, runs: dict[str, str], mount: Callable[..., Path], client: httpx.Client
) -> None:
    output = home / "history/inference" / runs["inference"] / "output"
    (output / "t.csv").write_text("n,m\n" + "".join(f"{n},{n % 7}\n" for n in range(300_000)))
    Image.effect_noise((900, 900), 50).save(output / "p.png")
    shutil.rmtree(home / ".alo")
    fill(mount(home / ".alo", "-t", "tmpfs", "-o", "size=400k", "tmpfs", lazily=True))
    run = f"/runs/{runs['inference']}"

    shown = ("/", "/runs", "/runs?q=test&sort=-score", "/feed", "/models", run, f"{run}/files")
    for path in (*shown, f"{run}/files/output/t.csv", f"{run}/files/output/t.csv?page=last"):
        assert client.get(path).status_code == 200, path
    for path in (f"{run}/files/output/t.csv?sort=-m", f"{run}/raw/output/p.png?thumb=256"):
        answer = client.get(path)
        assert answer.status_code in (200, 507), (path, answer.text[-300:])
    assert client.get(f"{run}/files/output/p.png").status_code in (200, 507)


def test_nobody_is_signed_in_on_a_full_disk_and_it_is_said(
    studio_disk: Path, make_studio: MakeStudio, browse: Browse
) -> None:
    client = browse(make_studio())
    filler = fill(studio_disk)

    refused = client.get(f"/?token={TOKEN}", headers={"Accept": "application/json"})
    assert refused.status_code == 507
    filler.unlink()

    assert client.get(f"/?token={TOKEN}").status_code == 303


def test_a_database_that_may_not_be_written_to_is_a_503_and_still_read(
    make_studio: MakeStudio, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = make_studio(needs_sign_in=False)
    studio.jobs.add(["--version"], "train", "ada")
    opened = studio.database._open  # type: ignore[attr-defined]

    def open_to_read() -> object:
        database = opened()
        database.execute("PRAGMA query_only = ON")  # as root may write to any file
        return database

    studio.database.close()
    monkeypatch.setattr(studio.database, "_open", open_to_read)
    client = browse(studio)

    refused = client.post("/runs", json=WANTED, headers=OWN)

    assert refused.status_code == 503
    assert "may be read and written to" in refused.json()["error"]["fix"]
    assert client.get("/jobs.json").json()["total"] == 1


def test_the_folder_of_caches_may_be_deleted_at_any_time(
    client: httpx.Client, home: Path, runs: dict[str, str]
) -> None:
    assert client.get("/runs.json").json()["total"] == 2

    shutil.rmtree(home / ".alo")

    assert client.get("/runs.json").json()["total"] == 2
    assert client.get("/").status_code == 200
    assert client.get(f"/runs/{runs['train']}").status_code == 200
    assert client.post("/runs", json=WANTED, headers=OWN).status_code == 202


def test_jobs_are_in_the_order_in_which_they_were_asked_for_whatever_the_clock_says(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = []
    for now in ("2026-05-02T00:00:00.000Z", "2026-05-01T00:00:00.000Z"):
        monkeypatch.setattr("alo.ui.jobs.queue.utc_now", lambda now=now: now)
        ids.append(studio.jobs.add(["--version"], "train", "ada").id)

    assert [each.id for each in studio.jobs.open()] == ids
    assert [each.id for each in studio.jobs.list()] == ids[::-1]


@pytest.mark.parametrize(
    ("number", "status"),
    [(errno.ENOENT, 404), (errno.ENOSPC, 507), (errno.EROFS, 503), (errno.EIO, 503)],
)
def test_what_the_disk_refuses_is_said_and_is_no_fault_of_ours(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, number: int, status: int
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number), "output.csv")

    monkeypatch.setattr(overview, "deployed_now", fail)

    answer = client.get("/overview.json")

    assert (answer.status_code, answer.json()["error"]["where"]) == (status, "output.csv")


def test_a_studio_answers_503_while_its_server_is_away_and_is_well_again(
    postgres: PostgresServer, make_studio: MakeStudio, browse: Browse
) -> None:
    client = browse(make_studio(database_url=postgres.new_database()))
    client.get(f"/?token={TOKEN}")
    assert client.get("/jobs.json").status_code == 200

    postgres.stop()
    try:
        answer = client.get("/jobs.json")
    finally:
        postgres.start()

    assert (answer.status_code, answer.json()["error"]["fix"]) == (503, "see that the server runs")
    assert wait_until(lambda: client.get("/jobs.json").status_code == 200)


PARTS = ("", ".json", "/steps", "/log", "/log?file=process", "/plan", "/code", "/files", "/again")


@pytest.mark.parametrize(
    "lost", ["log", "log/events.jsonl", "experimental_plan.yaml", "assets", "output", "score"]
)
def test_a_run_of_which_a_part_is_gone_is_shown_as_far_as_it_is_there(
    client: httpx.Client, home: Path, runs: dict[str, str], lost: str
) -> None:
    path = home / "history/train" / runs["train"] / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    for part in PARTS:
        assert client.get(f"/runs/{runs['train']}{part}").status_code in (200, 404), part
    for path_of_list in ("/", "/runs", "/models", f"/compare?run={runs['train']}&run=x"):
        assert client.get(path_of_list).status_code in (200, 404), path_of_list


def test_a_run_that_is_removed_while_it_is_looked_at_is_never_a_fault(
    client: httpx.Client, home: Path, runs: dict[str, str]
) -> None:
    entry = home / "history/train" / runs["train"]
    kept = home / "kept"
    shutil.copytree(entry, kept)
    is_over = threading.Event()

    def remove_and_put_back() -> None:
        while not is_over.is_set():
            shutil.rmtree(entry)
            shutil.copytree(kept, entry)

    thread = threading.Thread(target=remove_and_put_back)
    thread.start()
    try:
        for part in PARTS * 3:
            answer = client.get(f"/runs/{runs['train']}{part}")
            is_traced = answer.headers.get("location") == f"/trace/{runs['train']}"  # it was gone
            assert is_traced or answer.status_code in (200, 404), (part, answer.text[-500:])
            assert client.get("/runs.json").status_code == 200
            assert client.get("/models").status_code == 200
    finally:
        is_over.set()
        thread.join()


def test_a_run_of_an_earlier_version_is_shown(
    client: httpx.Client, home: Path, runs: dict[str, str]
) -> None:
    entry = home / "history/train" / runs["train"]
    record = entry / "log/experimental_history.json"
    known = json.loads(record.read_text())
    fields = ("id", "pipeline", "status", "start_time", "score", "result", "args")
    record.write_text(json.dumps({name: known[name] for name in fields}))
    (entry / "log/events.jsonl").unlink()

    for part in PARTS:
        assert client.get(f"/runs/{runs['train']}{part}").status_code == 200, part
    assert client.get("/runs.json?pipeline=train").json()["items"][0]["score"] == known["score"]
    both = f"run={runs['train']}&run={runs['inference']}"
    assert client.get(f"/compare?{both}&all=1").status_code == 200


def test_two_people_at_two_studios_of_one_project_never_write_over_each_other(
    make_studio: MakeStudio, browse: Browse, database_url: str
) -> None:
    studios = [make_studio(database_url=database_url) for _ in range(2)]
    create_review(studios[0].database, random=10)
    people = []
    for name, studio in zip(("ada", "bob"), studios, strict=True):
        studio.people.add(name, "reviewer", "long enough")
        token = studio.people.add_token(f"of-{name}", "reviewer", name)
        people.append(browse(studio))
        people[-1].headers["Authorization"] = f"Bearer {token}"
    ready = threading.Barrier(2)
    answers: list[dict[str, str]] = []

    def say(who: httpx.Client, label: str, record: str) -> None:
        sent = {"key": record, "record": record, "verdict": "change", "label": label}
        ready.wait()
        answer = who.post("/reviews/patients/decisions", json={"decisions": [sent]})
        answers.extend(answer.json()["results"])

    for at in range(10):
        record = f"run-{'a' if at < 5 else 'b'}:{at % 5}"
        answers.clear()
        threads = [
            threading.Thread(target=say, args=(who, label, record))
            for who, label in zip(people, ("good", "bad"), strict=True)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert sorted(each["state"] for each in answers) == ["conflict", "saved"]

    first, second = (
        who.get("/reviews/patients/items.json?limit=1000").json()["items"] for who in people
    )
    assert first == second
    assert {each["state"] for each in first} == {"changed"}
