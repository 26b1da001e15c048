"""The keys of ``alarm``: what of a service's requests raises an alarm, and whom it reports to."""

from alo.plan.keys.sections import Key, Section
from alo.plan.keys.shapes import Number, Text
from alo.plan.model import Alarm
from alo.plan.yaml_nodes.reader import NodeReader

AT = "alarm"  # where a plan has it
MOST_REQUESTS = 10_000  # of a window
LEAST_OF_MIX = 20  # fewer say little of a mix, and what chance makes of them still less
NEEDS_WINDOW = "the number of last requests that it is a share of"


def command_rule(command: str) -> str:
    """What is wrong with a command: a program and its arguments, in the quotes of a shell."""
    import shlex

    try:
        return "" if shlex.split(command) else "expected a program and its arguments"
    except ValueError as error:
        return f"expected a program and its arguments, each quote closed ({error})"


def url_rule(url: str) -> str:
    """What is wrong with a URL that is posted to."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        return "expected a URL that begins with https:// or http://"
    if not url.isascii() or " " in url:
        return "expected a URL of ASCII characters: write others as %XX"
    place = rest.partition("/")[0].partition("?")[0].partition("#")[0]
    if "@" in place:
        return "a user and a password in it are not sent: ALO_ALARM_SECRET signs what is posted"
    host, colon, port = place.rpartition(":")
    if not colon or place.endswith("]"):  # an IPv6 address has colons of its own
        host, port = place, ""
    if not host:
        return "expected a host after ://"
    is_port = not port or (port.isdecimal() and 0 < int(port) < 1 << 16)
    return "" if is_port else "expected a number, the port, after the host and its colon"


ALARM = Section(
    Alarm,
    Key(
        "score_below",
        Number(above=0, maximum=1),
        "score below which a request counts.",
    ),
    Key(
        "of_last",
        Number(minimum=1, maximum=MOST_REQUESTS, whole=True),
        "how many of the last requests are looked at. Empty: each request counts by itself.",
    ),
    Key(
        "share",
        Number(above=0, maximum=1),
        "share of the last of_last scores that raises the alarm when it is below score_below.",
    ),
    Key(
        "failures",
        Number(above=0, maximum=1),
        "share of the last of_last requests that raises an alarm when it has failed.",
    ),
    Key(
        "class_mix",
        Number(above=0, maximum=1),
        "distance of the class mix of the last of_last requests from that of the train run "
        "(total variation, 0 to 1) that raises an alarm.",
    ),
    Key(
        "command",
        Text(command_rule, what="a command"),
        "program, with arguments, that is given each alarm as JSON; no shell runs it.",
    ),
    Key(
        "url",
        Text(url_rule, pattern=r"^\s*[hH][tT][tT][pP][sS]?://[^/?#\s@]", what="a URL"),
        "http:// or https:// URL that each alarm is posted to, as JSON.",
    ),
)


def check_alarm(alarm: Alarm, reader: NodeReader) -> None:
    """Report to the reader what does not fit together; what is wrong by itself already is."""
    wrong = {
        problem.key.removeprefix(f"{AT}.")
        for problem in reader.problems
        if problem.key.startswith(AT)
    }
    given = {key for key, value in alarm._asdict().items() if value not in (None, "")} | wrong
    if not given & {"score_below", "failures", "class_mix"} and not wrong:
        what = "nothing to watch: give score_below, failures, or class_mix"
        reader.complain(reader.nearest_place(AT), what)
    if {"command", "url"} <= given:
        reader.complain(f"{AT}.url", "there is a command, too: keep one of them")
    if "share" in given and "score_below" not in given:
        what = "it is the share of the scores below score_below, which is missing"
        reader.complain(f"{AT}.share", what)
    elif "share" in given and "of_last" not in given:
        what = f"'of_last' is missing: {NEEDS_WINDOW}; without both each request counts"
        reader.complain(f"{AT}.share", what)
    elif {"score_below", "of_last"} <= given and "share" not in given:
        what = "'share' is missing: the share of the last of_last scores that raises the alarm"
        reader.complain(f"{AT}.score_below", what)
    for name in ("failures", "class_mix"):
        if name in given and "of_last" not in given:
            reader.complain(f"{AT}.{name}", f"'of_last' is missing: {_window_of(name)}")
    if alarm.class_mix is not None and alarm.of_last is not None and alarm.of_last < LEAST_OF_MIX:
        what = f"fewer than {LEAST_OF_MIX} requests say too little of their class mix"
        reader.complain(f"{AT}.of_last", what)


def _window_of(name: str) -> str:
    if name == "failures":
        return f"{NEEDS_WINDOW} (of_last: 1 is each request by itself)"
    return "the number of last requests whose classes are compared with those of the train run"
