"""Trials of a sweep that one machine runs alone: counted, until all are there."""

from __future__ import annotations

from alo.batch.sweep.definition import Metric
from alo.batch.sweep.proposals.own import OwnProposals
from alo.batch.sweep.proposals.samplers import Sampler, make_sampler
from alo.batch.sweep.space import Param, Values, parse_spec
from alo.batch.sweep.trials import COMPLETE, INTERRUPTED, Trial

PARAM = Param("train", "s", "x", parse_spec("1..3"))


def grid() -> Sampler:
    return make_sampler("grid", [PARAM], 0, ["max"])


class Listening:
    def __init__(self) -> None:
        self.reported: list[tuple[int, object]] = []

    def ask(self, number: int) -> Values | None:
        return {"s.x": number}

    def tell(self, number: int, values: Values, results: object) -> None:
        self.reported.append((number, results))


def test_they_end_with_the_number_asked_for_or_with_the_sampler() -> None:
    assert numbers(OwnProposals(grid(), [], 0, None)) == [0, 1, 2]
    assert numbers(OwnProposals(grid(), [], 1, None)) == [1, 2]
    assert numbers(OwnProposals(grid(), [], 0, 2)) == [0, 1]


def test_a_sampler_learns_from_whatever_has_ended_by_itself() -> None:
    sampler = Listening()
    proposals = OwnProposals(sampler, [Metric("score")], 0, None)
    ended = Trial(number=0, values={"s.x": 0}, state=COMPLETE, results={"score": 0.5})
    assert proposals.ended(ended) == ended
    proposals.ended(Trial(number=1, values={"s.x": 1}, state=INTERRUPTED))
    assert sampler.reported == [(0, [0.5])]


def numbers(proposals: OwnProposals) -> list[int]:
    found = []
    while (each := proposals.next()) is not None:
        found.append(each.number)
    return found
