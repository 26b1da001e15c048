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

from alo.ui.readers.cache import FileCache
from alo.ui.readers.orders import OrderJob, Orders
from alo.ui.readers.pictures import Pictures
from alo.ui.readers.table_index import Mark
from alo.ui.readers.tables import Tables
from alo.ui.readers.text_windows import text_window
from benchmarks.rows import Row, show

MEGABYTES = int(os.environ.get("ALO_BENCH_MB", "1000"))
PICTURES = int(os.environ.get("ALO_BENCH_PICTURES", "200"))
SIZE = (4000, 3000)  # pixels
SIDE = 256
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
        return [*_tables(folder), *_wide(folder), *_log(folder), *_pictures(folder)]


def _tables(folder: Path) -> list[Row]:
    path = folder / "large.csv"
    _write(path)
    counted = min(_seconds(lambda: _count(path)) for _ in range(3))
    tables = Tables(FileCache(folder / "cache"))
    before = _peak_mb()
    first = _seconds(lambda: tables.rows(tables.open(path), Mark(0, tables.open(path).begin), 50))
    first_mb = _peak_mb() - before
    table = tables.open(path)

    def last() -> None:
        index = tables.index(table, waits=True)
        total = index.total if index else 0
        found = tables.rows(table, tables.find(table, (total - 1) // 50 * 50), 50)
        assert found.following is None  # noqa: S101

    last_first = _seconds(last)
    all_mb = _peak_mb() - before
    last_again = min(_seconds(last) for _ in range(3))
    orders = Orders(tables)
    job = OrderJob(sort=1)
    ordered = _seconds(lambda: orders.order(table, job))
    order = orders.order(table, job)

    def page() -> None:
        list(tables.some(table, orders.order(table, job).rows(order.total // 2, 50)))

    sorted_page = min(_seconds(page) for _ in range(3))
    loaded = subprocess.run(  # noqa: S603
        [sys.executable, "-c", BASELINE, str(path)], capture_output=True, text=True, check=True
    )
    path.unlink()
    size = f"CSV of {MEGABYTES} MB"
    return [
        Row(f"{size}: first page", first * 1000, None, 300, "ms"),
        Row(f"{size}: first page, memory", first_mb, None, 50, "MB"),
        Row(f"{size}: counted, memory", all_mb, None, 50, "MB"),
        Row(f"{size}: last page, beside wc -l", last_first, counted, 3, "s"),
        Row(f"{size}: last page again", last_again * 1000, None, 50, "ms"),
        Row(f"{size}: sorted, beside read_csv", ordered, float(loaded.stdout.split()[-1]), 2, "s"),
        Row(f"{size}: a page of it", sorted_page * 1000, None, 50, "ms"),
    ]


def _wide(folder: Path) -> list[Row]:
    path = folder / "wide.csv"
    line = ",".join(str(n) for n in range(5000))
    path.write_text("".join(f"{line}\n" for _ in range(200)))
    tables = Tables(FileCache(folder / "cache"))

    def page() -> None:
        table = tables.open(path)
        tables.index(table, waits=False)
        tables.rows(table, Mark(0, table.begin), 50)

    return [Row("CSV of 5,000 columns: a page", _seconds(page) * 1000, None, 500, "ms")]


def _log(folder: Path) -> list[Row]:
    path = folder / "pipeline.log"
    with open(path, "w") as file:
        file.writelines(f"2026-01-01 00:00:00 INFO line {n} of a log\n" for n in range(1_000_000))
    taken = _seconds(lambda: text_window(path))
    return [Row("log of 1,000,000 lines: its end", taken * 1000, None, 300, "ms")]


def _pictures(folder: Path) -> list[Row]:
    from PIL import Image

    made = Image.effect_noise(SIZE, 40).convert("RGB")
    paths = [folder / f"{at}.jpg" for at in range(PICTURES)]
    made.save(paths[0], quality=85)
    for path in paths[1:]:
        path.write_bytes(paths[0].read_bytes())
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores) as pool:
        plain = _seconds(lambda: list(pool.map(_thumbnail, map(str, paths))))
    pictures = Pictures(FileCache(folder / "thumbs"))
    with ThreadPoolExecutor(cores * 2) as threads:

        def every() -> None:
            found = list(threads.map(lambda path: pictures.thumbnail(path, SIDE), paths))
            assert all(found)  # noqa: S101

        ours, again = _seconds(every), _seconds(every)
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
