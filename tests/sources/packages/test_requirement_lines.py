"""A requirements file means what it means to pip, whose own parser is asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alo.sources.packages.requirement_lines import (
    RequirementLineError,
    decoded,
    logical_lines,
    with_variables,
    words_of,
)

reader: Any = pytest.importorskip("pip._internal.req.req_file")


@pytest.mark.parametrize(
    "content",
    [
        "a\nb",
        "# comment\na  # another\nb#none\n",
        "a==1 \\\n  --hash=sha256:aa \\\n  --hash=sha256:bb\nb\n",
        "a==1 \\\n  # a comment ends it\n  --hash=sha256:aa\n",
        "a \\",
        "a # comment \\\nb\n",
        "\\\na\n",
        "a\r\nb\r\n\r\n",
        "a\x0bb\x0cc\u2028d",
        "  a  \n\t\n#\n",
    ],
)
def test_logical_lines_are_those_of_pip(content: str) -> None:
    assert list(logical_lines(content)) == list(reader.preprocess(content))


@given(st.text(st.sampled_from("ab#\\ \t\n\r-"), max_size=30))
@example("a\\\\\n#b")
def test_any_lines_are_those_of_pip(content: str) -> None:
    assert list(logical_lines(content)) == list(reader.preprocess(content))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp949"])
def test_the_encoding_is_found_as_by_pip(encoding: str, tmp_path: Path) -> None:
    text = "packaging>=20  # 한국어\r\n"
    if encoding == "cp949":
        content = f"# -*- coding: cp949 -*-\n{text}".encode(encoding)
    else:
        mark = "\ufeff" if encoding == "utf-16-be" else ""  # the others bring their own
        content = f"{mark}{text}".encode(encoding)
    (tmp_path / "requirements.txt").write_bytes(content)

    found, odd = decoded(content)

    if encoding != "utf-32":  # older ones take its mark for that of UTF-16
        assert found == reader.get_file_content(str(tmp_path / "requirements.txt"), None)[1]
    assert (found.splitlines()[-1], odd) == (text.strip(), "")


def test_what_is_no_utf8_is_read_as_the_locale_has_it_and_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("locale.getpreferredencoding", lambda _: "latin-1")

    text, odd = decoded("six # ä".encode("latin-1"))

    assert text == "six # ä"
    assert odd == "it is not UTF-8, and is read as latin-1 here: save it as UTF-8"


def test_variables_are_filled_in_as_by_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALO_TOKEN_1", "t$1")
    monkeypatch.setenv("ALO_EMPTY", "")
    line = "https://${ALO_TOKEN_1}@host/$ALO_TOKEN_1/${lower}/${ALO_EMPTY}/${ALO_NEVER}"

    found, lacking = with_variables(line)

    assert found == next(iter(reader.expand_env_variables([(1, line)])))[1]
    assert lacking == ["ALO_EMPTY", "ALO_NEVER"]


LINES = [
    "a",
    'a[x, y] >= 1, < 2 ; python_version > "3" and os_name == "posix"',
    "a==1 --hash=sha256:aa --hash sha256:bb",
    "a --config-settings=x=y --config-settings 'k=a b' -C z=1",
    "a -C x=y",
    "-e .",
    "-e ./a[b]#egg=c",
    "--editable=git+https://host/x.git@v1#egg=x",
    "-i https://host/simple",
    "-ihttps://host/simple",
    "--index-url=https://host/simple --extra-index-url https://other/simple",
    "--pypi-url https://host/simple",
    "--extra-index https://host/simple",
    "--find https://host/links",
    "-f './a b'",
    "-r other.txt",
    "--requirem=other.txt",
    "-cother.txt",
    "-c https://host/limits.txt",
    "--no-index",
    "--no-binary :all: --only-binary=a,b",
    "--pre",
    "--prefer-binary",
    "--require-hashes",
    "--trusted-host host:8080",
    "--use-feature=fast-deps",
]
OF_PIP = {  # its names for them → ours
    "editables": "--editable",
    "index_url": "--index-url",
    "extra_index_urls": "--extra-index-url",
    "find_links": "--find-links",
    "requirements": "--requirement",
    "constraints": "--constraint",
    "no_index": "--no-index",
    "prefer_binary": "--prefer-binary",
    "require_hashes": "--require-hashes",
    "pre": "--pre",
    "trusted_hosts": "--trusted-host",
    "features_enabled": "--use-feature",
}


@pytest.mark.parametrize("line", LINES)
def test_options_are_those_of_pip(line: str) -> None:
    try:
        own, values = reader.get_line_parser(None)(line)
    except reader.OptionParsingError:
        pytest.skip("this pip does not know it")

    text, options = words_of(line)

    assert text == " ".join(own.split())
    found: dict[str, list[str]] = {}
    for option, value in options:
        found.setdefault(option.name, []).append(value)
    for theirs, ours in OF_PIP.items():
        given_values = getattr(values, theirs, None) or []
        expected = given_values if isinstance(given_values, list) else [given_values]
        assert found.get(ours, []) == ["" if each is True else each for each in expected]
    hashes = [f"{kind}:{each}" for kind, all_ in (values.hashes or {}).items() for each in all_]
    assert found.get("--hash", []) == hashes
    config = getattr(values, "config_settings", None)  # not of pip before 23.1
    settings = [f"{key}={value}" for key, value in (config or {}).items()]
    assert found.get("--config-settings", []) == settings


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("a --frob", "unknown option '--frob'"),
        ("-Zx", "unknown option '-Z'"),
        ("--no", "unknown option '--no'; it can be"),
        ("-r", "--requirement lacks its value"),
        ("--index-url", "--index-url lacks its value"),
        ("--pre=yes", "--pre takes no value"),
        ("a --hash='sha256:aa", "cannot be told apart, No closing quotation"),
    ],
)
def test_what_pip_refuses_is_refused_with_a_reason(line: str, what: str) -> None:
    with pytest.raises(reader.OptionParsingError):
        reader.get_line_parser(None)(line)

    with pytest.raises(RequirementLineError, match=what):
        words_of(line)


def test_every_option_of_this_pip_is_known() -> None:
    for option in (*reader.SUPPORTED_OPTIONS, *reader.SUPPORTED_OPTIONS_REQ):
        made = option()
        if made.dest == "install_options":  # which pip has given up with 23.1
            continue
        for name in (*made._long_opts, *made._short_opts):
            value = " x=y" if made.takes_value() else ""
            assert words_of(f"{name}{value}")[1], name


def test_the_environment_is_not_looked_at_for_what_is_no_variable() -> None:
    assert with_variables("a; $HOME ${home}") == ("a; $HOME ${home}", [])
    assert "HOME" in os.environ
