"""What an external path means, and that a slip of the pen is never a new local folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alo.data.export import check_export_target
from alo.data.location import LocationError, RemoteLocation, check_name, is_remote, locate
from alo.data.models import check_model_source

HOME = Path("/project")


@pytest.mark.parametrize(
    ("url", "name", "shown"),
    [
        ("s3://bucket/a/data/", "data", "s3://bucket/a/data"),
        ("s3://bucket/a?b#c", "a?b#c", "s3://bucket/a#c"),
        ("s3://bucket", "", "s3://bucket/"),
        ("https://me:secret@host/x.csv", "x.csv", "https://host/x.csv"),
        ("https://host/x.csv?sig=secret", "x.csv", "https://host/x.csv"),
        ("https://host/%ED%95%9C%20%EA%B8%80.csv#top", "한 글.csv", "https://host/%ED%95%9C"),
        ("https://host/a%2Fb.csv", "a_b.csv", "https://host/a%2Fb.csv"),
    ],
)
def test_remote_locations_have_a_name_and_keep_secrets(url: str, name: str, shown: str) -> None:
    location = locate(HOME, url)

    assert isinstance(location, RemoteLocation)
    assert location.name == name
    assert str(location).rstrip("/").startswith(shown.rstrip("/"))
    assert "secret" not in str(location)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("S3://Bucket/Key/", "s3://Bucket/Key"),
        ("HTTPS://host/X", "https://host/X"),
        ("  s3://bucket/x\n", "s3://bucket/x"),
        ("'s3://bucket/x'", "s3://bucket/x"),
        ("\u201cs3://bucket/x\u201d", "s3://bucket/x"),
        ("https://host/x/?a=b/", "https://host/x/?a=b/"),
    ],
)
def test_what_is_plain_all_the_same_is_taken(path: str, meant: str) -> None:
    location = locate(HOME, path)

    assert is_remote(path)
    assert isinstance(location, RemoteLocation)
    assert location.url == meant


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("file:///data/a%20b/", "/data/a b"),
        ("file:/data", "/data"),
        ("FILE://localhost/data", "/data"),
        ("~/data", f"{os.path.expanduser('~')}/data"),
        ("2024:10/x", "/project/2024:10/x"),
        ("day:1", "/project/day:1"),
        ("price$", "/project/price$"),
        ("\udc80", "/project/\udc80"),
        ("'data'", "/project/data"),
    ],
)
def test_local_paths_are_what_they_say(path: str, meant: str) -> None:
    assert locate(HOME, path) == Path(meant)
    assert not is_remote(path)


SLIPS = [
    ("s3:/bucket/x", "s3://bucket/x"),
    ("s3:bucket/x", "s3://bucket/x"),
    ("s3:///bucket/x", "s3://bucket/x"),
    ("s3//bucket/x", "s3://bucket/x"),
    ("s3;//bucket/x", "s3://bucket/x"),
    ("S3:\\\\bucket\\x", "s3://bucket/x"),
    ("https:/host/x", "https://host/x"),
    ("htps://host/x", "https://host/x"),
    ("s3a://bucket/x", "s3://bucket/x"),
    ("gcs://bucket/x", "gs://bucket/x"),
    ("hdfs://name/x", "begin with s3://"),
    ("dbfs:/x", "begin with s3://"),
    ("file://host/x", "file:///host/x"),
    ("file:x", "file:///x"),
    ("s3://key:secret@bucket/x", "aws_key_profile"),
    ("az://container/x?sv=1&sig=secret", "begins with https://"),
    ("s3://bucket/x?X-Amz-Signature=secret", "begins with https://"),
    ("C:\\data", "a path of Windows"),
    ("C:/data", "a path of Windows"),
    ("\\\\server\\share", "a path of Windows"),
    ("data\\train", "data/train"),
    ("$HOME/data", "not filled in"),
    ("${DATA}", "not filled in"),
    ("%DATA%/x", "not filled in"),
    ("~no-such-user/x", "no user no-such-user"),
    ("a\0b", "zero byte"),
    ("\ud800", "half a character"),
    ("x" * 256, "256 bytes"),
    ("한" * 86, "258 bytes"),
    (" ", "an empty path"),
]


@pytest.mark.parametrize(("path", "reported"), SLIPS)
def test_a_slip_is_reported_with_the_right_form(path: str, reported: str) -> None:
    with pytest.raises(LocationError) as caught:
        locate(HOME, path)

    assert reported in f"{caught.value.what} {caught.value.fix}"
    assert "secret" not in str(caught.value)
    str(caught.value).encode()  # and can be printed


@pytest.mark.parametrize(("path", "reported"), SLIPS)
def test_nothing_is_saved_to_a_slip_nor_a_model_looked_for_in_it(
    path: str, reported: str, tmp_path: Path
) -> None:
    for use in (check_export_target, check_model_source):
        with pytest.raises(LocationError):
            use(tmp_path, path)

    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("name", ["a\\b", "$HOME", "C:", "day:/x", "~no-such-user"])
def test_what_is_there_under_an_odd_name_is_meant(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir(parents=True)

    assert locate(tmp_path, name) == tmp_path / name


def test_a_folder_named_like_a_store_is_not(tmp_path: Path) -> None:
    (tmp_path / "s3:/bucket").mkdir(parents=True)

    with pytest.raises(LocationError, match="s3://"):
        locate(tmp_path, "s3:/bucket")
    assert locate(tmp_path, "./s3:/bucket") == tmp_path / "s3:/bucket"


@pytest.mark.parametrize(
    "name", ["", ".", "a/..", "a//b", "/a", "a\0b", "\ud800", f"a/{'x' * 256}/b", "한" * 86]
)
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    with pytest.raises(LocationError, match=r"s3://b/\.\.\.: "):
        check_name(name, "s3://b/...")


@pytest.mark.parametrize("name", ["a", "a/b/", "x" * 255, "한" * 85, "\udc80", "a\nb", "..."])
def test_any_other_name_is_fine(name: str) -> None:
    check_name(name, "")
