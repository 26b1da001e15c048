"""Files of runs in the studio: large tables, logs and thumbnails, each read as its page reads it.

``ALO_BENCH_MB`` is the size of the table (1000), ``ALO_BENCH_PICTURES`` how many pictures (200).
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

from alo.layout import Workspace
from alo.ui.readers.cache import FileCache
from alo.ui.readers.orders import OrderJob, Orders
from alo.ui.readers.pictures import Pictures
from alo.ui.readers.table_index import Mark
from alo.ui.readers.tables import Tables
from benchmarks.rows import Row, show
from benchmarks.solutions import write_empty_solution
from benchmarks.storage.bench_history import record_of, write_record
from benchmarks.studio.bench_studio import get, studio

MEGABYTES = int(os.environ.get("ALO_BENCH_MB", "1000"))
PICTURES = int(os.environ.get("ALO_BENCH_PICTURES", "200"))
SIZE = (4000, 3000)  # pixels
SIDE, A_TURN = 256, 20
BASELINE = """
import sys, time, duckdb
began = time.perf_counter()
with duckdb.connect() as c:
    c.execute("CREATE TABLE t AS SELECT * FROM read_csv(?)", [sys.argv[1]])
print(time.perf_counter() - began)
"""


def measure() -> list[Row]:
    """All rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [*_tables(folder), *_over_http(folder), *_pictures(folder)]


def _tables(folder: Path) -> list[Row]:
    path = folder / "large.csv"
    _write(path)
    tables = Tables(FileCache(folder / "cache"))
    before = _peak_mb()
    first = _seconds(lambda: tables.rows(tables.open(path), Mark(0, tables.open(path).begin), 50))
    first_mb = _peak_mb() - before
    table = tables.open(path)

    def last(tables: Tables = tables) -> None:
        index = tables.index(table, waits=True)
        total = index.total if index else 0
        found = tables.rows(table, tables.find(table, (total - 1) // 50 * 50), 50)
        assert found.following is None  # noqa: S101

    last_first, counted = [_seconds(last)], [_seconds(lambda: _count(path))]
    all_mb = _peak_mb() - before
    for turn in range(2):
        anew = Tables(FileCache(folder / f"index {turn}"))
        last_first.append(_seconds(lambda anew=anew: last(anew)))
        counted.append(_seconds(lambda: _count(path)))
    last_again = min(_seconds(last) for _ in range(3))
    job = OrderJob(sort=1)
    ordered, loaded = [], []
    for turn in range(2):
        anew = Tables(FileCache(folder / f"orders {turn}"))
        anew.index(table, waits=True)
        orders = Orders(anew)
        ordered.append(_seconds(lambda orders=orders: orders.order(table, job)))
        loaded.append(_seconds_of_read_csv(path))
    order = orders.order(table, job)

    def page() -> None:
        list(tables.some(table, orders.order(table, job).rows(order.total // 2, 50)))

    sorted_page = min(_seconds(page) for _ in range(3))
    path.unlink()
    size = f"CSV of {MEGABYTES} MB"
    return [
        Row(f"{size}: first page", first * 1000, None, 300, "ms"),
        Row(f"{size}: first page, memory", first_mb, None, 50, "MB"),
        Row(f"{size}: counted, memory", all_mb, None, 50, "MB"),
        Row(f"{size}: last page, beside wc -l", min(last_first), min(counted), 3, "s"),
        Row(f"{size}: last page again", last_again * 1000, None, 50, "ms"),
        Row(f"{size}: sorted, beside read_csv", min(ordered), min(loaded), 2, "s"),
        Row(f"{size}: a page of it", sorted_page * 1000, None, 50, "ms"),
    ]


def _over_http(folder: Path) -> list[Row]:
    """What is too wide or too long to be shown at once, as the studio answers with it."""
    home = folder / "project"
    write_empty_solution(home, 1)
    record = record_of(1)
    write_record(Workspace(home), record)
    entry = next((home / "history" / record.pipeline).iterdir())
    line = ",".join(str(n) for n in range(5000))
    (entry / "output").mkdir()
    (entry / "output" / "wide.csv").write_text("".join(f"{line}\n" for _ in range(200)))
    with open(entry / "log" / "pipeline.log", "w") as file:
        file.writelines(f"2026-01-01 00:00:00 INFO line {n} of a log\n" for n in range(1_000_000))
    run = f"/runs/{record.id}"
    with studio(home) as opened:
        get(opened.port, "/sign-in")  # the first answer compiles the frame of all pages
        wide = _seconds(lambda: get(opened.port, f"{run}/files/output/wide.csv"))
        log = _seconds(lambda: get(opened.port, f"{run}/log"))
    return [
        Row("CSV of 5,000 columns: its page, the first time", wide * 1000, None, 500, "ms"),
        Row("log of 1,000,000 lines: its end, the first time", log * 1000, None, 300, "ms"),
    ]


def _pictures(folder: Path) -> list[Row]:
    from PIL import Image

    made = Image.effect_noise(SIZE, 40).convert("RGB")
    paths = [folder / f"{at}.jpg" for at in range(PICTURES)]
    made.save(paths[0], quality=85)
    for path in paths[1:]:
        path.write_bytes(paths[0].read_bytes())
    cores = os.cpu_count() or 1
    pictures = Pictures(FileCache(folder / "thumbs"))
    with ProcessPoolExecutor(cores) as pool, ThreadPoolExecutor(cores * 2) as threads:

        def theirs(some: list[Path]) -> None:
            list(pool.map(_thumbnail, map(str, some)))

        def our(some: list[Path]) -> None:
            found = list(threads.map(lambda path: pictures.thumbnail(path, SIDE), some))
            assert all(found)  # noqa: S101

        plain = ours = 0.0
        for at in range(0, PICTURES, A_TURN):  # in turns: a busy minute meets both
            some = paths[at : at + A_TURN]
            plain += _seconds(lambda some=some: theirs(some))
            ours += _seconds(lambda some=some: our(some))
        again = _seconds(lambda: our(paths))
    what = f"{PICTURES} thumbnails of 12 megapixels"
    return [
        Row(f"{what}, beside Pillow on all cores", ours, plain, 1.5, "s"),
        Row(f"{what}, again", again * 1000, None, 150, "ms"),
    ]


def _thumbnail(path: str) -> None:
    from PIL import Image

    with Image.open(path) as image:
        image.thumbnail((SIDE, SIDE))
        image.save(f"{path}.webp", "WEBP", quality=80)


def _write(path: Path) -> None:
    rows = [f"{n},{n * 7919 % 100_003},{n / 7:.6f},label-{n % 10},some text" for n in range(20_000)]
    block = "".join(f"{row}\n" for row in rows).encode()
    with open(path, "wb") as file:
        file.write(b"id,key,value,label,text\n")
        for _ in range(MEGABYTES * 1_000_000 // len(block)):
            file.write(block)


def _seconds_of_read_csv(path: Path) -> float:
    loaded = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", BASELINE, str(path)], capture_output=True, text=True, check=True
    )
    return float(loaded.stdout.split()[-1])


def _count(path: Path) -> None:
    subprocess.run(["wc", "-l", str(path)], capture_output=True, check=True)  # noqa: S603, S607


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    show(measure())
