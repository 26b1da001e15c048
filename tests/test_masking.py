"""No password or token of a URL is left in a text, wherever it is; all else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.errors import CheckError, ExportError, InstallError, Problem, SourceError, StagingError
from alo.masking import masked
from alo.plan.suggest import quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:secret@host/x.git", "https://host/x.git"),
        ("https://secret@host/x.git", "https://host/x.git"),
        ("HTTPS://me:secret@host", "HTTPS://host"),
        ("https://me:se@cret@host/x", "https://host/x"),
        ("https://me:se/cret@host/x", "https://host/x"),
        ("https://me:se?cret@host/x", "https://host/x"),
        ("https://me:se#cret@host/x", "https://host/x"),
        ("https://se?cret@host/x@v1", "https://v1"),
        ("https://host/x?mail=me@here", "https://host/x"),
        ("https:/me:secret@host/x", "https:/me@host/x"),
        ("ssh://git:secret@host:22/x.git", "ssh://git@host:22/x.git"),
        ("git+https://me:secret@host/x.git@v1#egg=x", "git+https://host/x.git@v1#egg=x"),
        ("https://host/x.csv?sig=secret", "https://host/x.csv"),
        ("https://host/x.whl?secret#sha256=aa", "https://host/x.whl#sha256=aa"),
        ("('https://host/a?token=secret'), next", "('https://host/a'), next"),
        ("https://me:secret@a/x,https://me:secret@b/y", "https://a/x,https://b/y"),
        ('{"u":"https://me:secret@a/x?t=secret","n":1}', '{"u":"https://a/x","n":1}'),
        ("-i https://a:secret@a/s -i https://secret@b/s", "-i https://a/s -i https://b/s"),
        (
            "fatal: no access to 'https://me:secret@host/x/'",
            "fatal: no access to 'https://host/x/'",
        ),
        ("redis://:secret@edge:1/0", "redis://edge:1/0"),
        ("redis://me:secret@[::1]:6379/0", "redis://[::1]:6379/0"),
        ("me:secret@edge:6379", "me@edge:6379"),
        ("https://host/#access_token=secret&n=1", "https://host/#access_token=&n=1"),
        ("AccountName=me;AccountKey=secret==;X=1", "AccountName=me;AccountKey=;X=1"),
    ],
)
def test_what_is_secret_is_left_out(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert masked(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "git@host:group/x.git",
        "ssh://git@host/x.git",
        "git+ssh://git@host/x.git@v1",
        "git+https://host:8080/x.git@v1",
        "postgres://h1:5432,h2:5433/db",
        "is 5 > 3? me@here, at 12:30: it is",
        "step 'x' (plan.yaml:7): me@host",
        "file:///data/a@b",
        "https://host/x.whl#sha256=aa",
        "git+https://host/x.git#egg=x&subdirectory=y",
        "token=1 is the first; a = b",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert masked(text) == text


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_characters='"<>`/\x7f'))
    .filter(lambda text: not any(character.isspace() for character in text))
    .map(lambda text: f"S3cr3t{text}S3cr3t"),
    st.sampled_from(
        [
            "https://me:{}@host/x",
            "see git+https://{}@host/x@v1!",
            "'https://host/x?token={}', and more",
            "rediss://:{}@host",
        ]
    ),
)
def test_no_password_is_left_over(password: str, form: str) -> None:
    # In a query a & or a # ends it, for whoever reads the URL.
    password = password.replace("#", "").replace("{", "").replace("://", "")

    assert "S3cr3t" not in masked(form.format(password))


def test_errors_about_places_outside_tell_none() -> None:
    url = "https://me:secret@host/x?sig=secret"
    for kind in (SourceError, InstallError, StagingError, ExportError):
        assert "secret" not in str(kind(f"no {url}", where=url, fix=f"see {url}"))
    error = CheckError([Problem(f"no {url}", "plan.yaml", 3)])
    assert "secret" not in f"{error} {error.problems}"
    assert "secret" not in quoted(f"https://me:{'secret' * 50}@host/x")
