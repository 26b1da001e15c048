"""Signals while many tasks run: which of them stop and which end it."""

from __future__ import annotations

import signal

import pytest

from alo.batch.stopping import stopping


class Drive:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def stop(self) -> None:
        self.calls.append("stop")

    def end(self) -> None:
        self.calls.append("end")


@pytest.mark.parametrize(
    ("numbers", "calls"),
    [
        ([signal.SIGINT], ["stop"]),
        ([signal.SIGINT, signal.SIGINT], ["stop", "end"]),
        ([signal.SIGTERM], ["end"]),
    ],
)
def test_the_first_ctrl_c_stops_and_every_other_signal_ends(
    numbers: list[signal.Signals], calls: list[str]
) -> None:
    drive, before = Drive(), signal.getsignal(signal.SIGINT)
    with stopping(drive) as received:
        for number in numbers:
            signal.raise_signal(number)
    assert (drive.calls, received) == (calls, numbers)
    assert signal.getsignal(signal.SIGINT) is before
