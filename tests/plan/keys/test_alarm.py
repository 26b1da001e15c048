"""The keys of ``alarm``, in both forms, and what is refused of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alo.plan.model import Alarm, Plan
from alo.plan.schema import plan_schema

LoadText = Callable[[str | bytes], Plan]
Told = Callable[[str | bytes], list[str]]
STEPS = "user_parameters: {inference_pipeline: [{step: a}]}\n"


def test_both_forms_say_the_same(load: LoadText) -> None:
    mapping = "alarm: {score_below: 0.7, of_last: 50, share: 0.2, command: ./notify.sh}"
    items = "alarm:\n- score_below: 0.7\n- of_last: 50\n- {share: 0.2}\n- command: ./notify.sh\n"

    found = load(STEPS + mapping).alarm

    assert found == Alarm(0.7, 50, 0.2, command="./notify.sh")
    assert load(STEPS + items).alarm == found


def test_without_one_there_is_none(load: LoadText) -> None:
    assert load(STEPS).alarm is None
    assert load(f"{STEPS}alarm:").alarm is None


@pytest.mark.parametrize(
    ("alarm", "told_of_it"),
    [
        ("{}", "2:8  alarm  nothing to watch: give score_below, failures, or class_mix"),
        ("{command: x}", "2:8  alarm  nothing to watch"),
        ("3", "2:8  alarm  expected 'name: value', found the number '3'"),
        ("{score_belo: 1}", "2:9  alarm.score_belo  unknown key 'score_belo'; did you mean"),
        ("{score_below: 1.1}", "2:22  alarm.score_below  expected a number above 0 and at most 1"),
        ("{score_below: 0}", "2:22  alarm.score_below  expected a number above 0"),
        ("{score_below: low}", "2:22  alarm.score_below  expected a number above 0"),
        ("{score_below: 1, of_last: 5}", "2:22  alarm.score_below  'share' is missing"),
        ("{score_below: 1, share: 0.5}", "2:32  alarm.share  'of_last' is missing"),
        ("{failures: 1, of_last: 5, share: 1}", "2:41  alarm.share  it is the share of the scores"),
        (
            "{score_below: 1, of_last: 10001, share: 1}",
            "2:34  alarm.of_last  expected a whole number of at least 1 and at most 10,000, found",
        ),
        ("{score_below: 1, of_last: 2.5, share: 1}", "2:34  alarm.of_last  expected a whole"),
        ("{failures: 0.1}", "2:19  alarm.failures  'of_last' is missing"),
        ("{class_mix: 0.1}", "2:20  alarm.class_mix  'of_last' is missing"),
        ("{class_mix: 0.1, of_last: 19}", "2:34  alarm.of_last  fewer than 20 requests say too"),
        ('{score_below: 1, command: "it\'s"}', "2:34  alarm.command  'it's': expected a program"),
        ("{score_below: 1, url: ftp://h/x}", "2:30  alarm.url  'ftp://h/x': expected a URL that"),
        ("{score_below: 1, url: https://}", "2:30  alarm.url  'https://': expected a host"),
        ("{score_below: 1, url: 'http://h:x/'}", "2:30  alarm.url  'http://h:x/': expected a n"),
        ("{score_below: 1, url: 'http://h/é'}", "2:30  alarm.url  'http://h/é': expected a URL"),
        ("{score_below: 1, url: 'http://u:p@h/'}", "2:30  alarm.url  'http://h/': a user and"),
        ("{score_below: 1, command: x, url: http://h}", "2:42  alarm.url  there is a command, too"),
    ],
)
def test_what_is_odd_is_refused_with_its_place(reported: Told, alarm: str, told_of_it: str) -> None:
    (line,) = reported(f"{STEPS}alarm: {alarm}")

    assert line.startswith(told_of_it)


def test_every_problem_is_reported_at_once(reported: Told) -> None:
    lines = reported(f"{STEPS}alarm: {{score_below: 2, of_last: 0, share: 3, failures: x, url: y}}")

    assert [line.split()[1] for line in lines] == [
        f"alarm.{key}" for key in ("score_below", "of_last", "share", "failures", "url")
    ]


@pytest.mark.parametrize(
    "url", ["http://h", "HTTPS://h:8/a?b=c#d", "http://[::1]:80/", "http://[::1]"]
)
def test_a_url_of_http_is_taken(load: LoadText, url: str) -> None:
    alarm = load(f"{STEPS}alarm: {{score_below: 1, url: '{url}'}}").alarm

    assert alarm is not None
    assert alarm.url == url


def test_the_schema_has_the_keys_with_their_bounds() -> None:
    alarm = plan_schema()["properties"]["alarm"]

    assert {*alarm["properties"]} == {*Alarm._fields}
    assert alarm["properties"]["share"]["maximum"] == 1
    assert alarm["items"]["properties"] == alarm["properties"]
