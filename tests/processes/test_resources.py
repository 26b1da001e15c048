from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time

import pytest

from alo.processes import resources
from alo.processes.resources import Sampler, UsageMeter, tree_bytes

MIB = 1 << 20
LINE = re.compile(
    r"CPU mean (\d+) %, highest (\d+) %; memory mean (\d+) MiB, highest (\d+) MiB; (\d+) samples"
)
needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs Linux' /proc")


def burn(seconds: float) -> None:
    """Use the CPU for so long, however many others do."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def numbers(line: str) -> list[int]:
    found = LINE.fullmatch(line)
    assert found, line
    return [int(text) for text in found.groups()]


@needs_proc
def test_the_memory_of_a_process_has_that_of_those_it_started() -> None:
    code = (
        "import subprocess, sys; own = bytearray(40 << 20)\n"
        "subprocess.run([sys.executable, '-c',"
        " 'big = bytearray(80 << 20); print(1, flush=True); input()'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        rough, exact = tree_bytes(process.pid, 1 << 40), tree_bytes(process.pid, 0)
        process.stdin.write(b"\n")

    assert 120 * MIB < exact <= rough < 200 * MIB


def test_cpu_seconds_are_those_since_the_start() -> None:
    burn(0.2)
    meter = UsageMeter()

    burn(0.1)
    usage = meter.stop()

    assert 0.1 <= usage.cpu_seconds < 0.3


def test_threads_and_ended_children_count() -> None:
    meter = UsageMeter()

    thread = threading.Thread(target=burn, args=(0.05,))
    thread.start()
    thread.join()
    own = meter.stop().cpu_seconds
    code = "import time\nwhile time.process_time() < 0.1: pass"
    subprocess.run([sys.executable, "-c", code], check=True)
    both = meter.stop().cpu_seconds

    assert own >= 0.05
    assert both >= own + 0.1


@needs_proc
def test_the_peak_is_that_of_the_step_not_of_the_one_before() -> None:
    first = UsageMeter()
    big = bytearray(300 * MIB)
    del big
    before = first.stop().peak_bytes

    second = UsageMeter()
    small = bytearray(20 * MIB)
    del small
    after = second.stop().peak_bytes

    assert before > after + 200 * MIB
    assert after > 20 * MIB


def test_without_proc_the_peak_is_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_proc(path: object, *args: object, **options: object) -> object:
        raise FileNotFoundError(path)

    monkeypatch.setattr(os, "open", no_proc)
    monkeypatch.setattr("builtins.open", no_proc)

    usage = UsageMeter().stop()

    assert usage.peak_bytes > MIB


@needs_proc
def test_samples_tell_cpu_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "INTERVAL_S", 0.02)
    UsageMeter()
    sampler = Sampler()

    began, used = time.monotonic(), time.process_time()
    big = bytearray(100 * MIB)
    burn(0.2)
    del big
    mean_cpu, high_cpu, mean_memory, high_memory, samples = numbers(sampler.stop())
    share = 100 * (time.process_time() - used) / (time.monotonic() - began)

    assert share / 4 < mean_cpu <= high_cpu  # a busy machine gives us less than a whole core
    assert high_memory > 100
    assert mean_memory <= high_memory
    assert samples >= 2


def test_a_step_shorter_than_the_interval_is_sampled_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resources, "INTERVAL_S", 600)
    sampler = Sampler()

    burn(0.01)
    mean_cpu, high_cpu, mean_memory, high_memory, samples = numbers(sampler.stop())

    assert samples == 1
    assert mean_cpu > 0
    assert high_cpu > 0
    assert high_memory >= mean_memory


@needs_proc
def test_children_and_theirs_are_in_the_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "INTERVAL_S", 0.02)
    hold = f"x = bytearray({200 * MIB}); import time; e = time.process_time() + .2\n"
    hold += "while time.process_time() < e: pass"
    sampler, began = Sampler(), time.monotonic()

    subprocess.run(["sh", "-c", '"$0" -c "$1"; true', sys.executable, hold], check=True)
    mean_cpu, high_cpu, _, high_memory, _ = numbers(sampler.stop())
    share = 100 * 0.2 / (time.monotonic() - began)  # at least; a busy machine gives little more

    assert high_memory > 200
    assert mean_cpu > share / 4
    assert high_cpu < 500


@needs_proc
def test_a_child_that_is_waited_for_is_no_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "INTERVAL_S", 0.02)
    code = "import time\nwhile time.process_time() < 0.3: pass"
    child = subprocess.Popen([sys.executable, "-c", code])
    time.sleep(0.2)
    sampler = Sampler()

    child.wait()
    time.sleep(0.05)
    _, high_cpu, *_ = numbers(sampler.stop())

    assert high_cpu < 500


def test_the_thread_of_the_sampler_ends_with_it() -> None:
    before = threading.active_count()

    Sampler().stop()

    assert threading.active_count() == before


def test_processes_that_are_gone_cost_nothing() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()

    assert resources._memory_bytes(ended.pid) == 0
    assert resources._spent_by(ended.pid) == 0.0
