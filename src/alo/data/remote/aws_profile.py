"""Settings of an AWS profile: the shared files ``~/.aws/credentials`` and ``~/.aws/config``.

Keys are read here. A profile that gets its keys otherwise (a role, single sign-on, a process)
is boto3's business, where that is installed.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from alo.data.location import LocationError

if TYPE_CHECKING:
    from obstore.store import S3CredentialProvider

DEFAULT_REGION = "us-east-1"
KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")


class AwsSettings(NamedTuple):
    """How to talk to S3."""

    config: Mapping[str, str]
    provider: S3CredentialProvider | None = None  # where the keys are not to be had from files


def aws_settings(profile: str, environ: Mapping[str, str]) -> AwsSettings:
    """The settings for a profile of the plan; without one, for what the environment says.

    Raises:
        LocationError: there is no such profile, or its keys cannot be got here.
    """
    has_keys = not profile and "AWS_ACCESS_KEY_ID" in environ
    name = profile or environ.get("AWS_PROFILE", "") or "default"
    values = _profile(name, environ, must_exist=name != "default" and not has_keys)
    config = {"region": _region(values, environ)}
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    if endpoint := endpoint or values.get("endpoint_url", ""):
        config["endpoint"] = endpoint
    if has_keys:
        found = {key: environ.get(key.upper(), "") for key in KEYS}
    else:
        found = {key: values.get(key, "") for key in KEYS}
    config.update({key: value for key, value in found.items() if value})
    is_elsewhere = not found[KEYS[0]] and values.keys() & {
        "role_arn",
        "sso_session",
        "sso_start_url",
        "credential_process",
    }
    return AwsSettings(config, _through_boto3(name) if is_elsewhere else None)


def _region(values: Mapping[str, str], environ: Mapping[str, str]) -> str:
    given = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    return given or values.get("region", "") or DEFAULT_REGION


def _profile(name: str, environ: Mapping[str, str], *, must_exist: bool) -> Mapping[str, str]:
    credentials = _read(environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"))
    config = _read(environ.get("AWS_CONFIG_FILE", "~/.aws/config"))
    section = name if name == "default" else f"profile {name}"
    found = [file[part] for file, part in ((config, section), (credentials, name)) if part in file]
    if must_exist and not found:
        known = {part.removeprefix("profile ") for file in (config, credentials) for part in file}
        raise LocationError(
            f"there is no AWS profile '{name}'; known: {', '.join(sorted(known)) or 'none'}",
            fix="correct aws_key_profile in the plan, or leave it empty for the usual credentials",
        )
    return {key: value for values in found for key, value in values.items()}


def _read(path: str) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(default_section="", strict=False)
    try:
        parser.read(os.path.expanduser(path), encoding="utf-8")
    except (OSError, configparser.Error, UnicodeDecodeError) as error:
        raise LocationError(f"{path} cannot be read: {type(error).__name__}") from error
    return {name: dict(parser[name]) for name in parser.sections()}


def _through_boto3(name: str) -> S3CredentialProvider:
    try:
        from boto3 import Session  # type: ignore[import-untyped]
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ModuleNotFoundError as error:
        raise LocationError(
            f"the AWS profile '{name}' gets its keys from a role, single sign-on or a process",
            fix="boto3 can do that, where it is installed: name it in a step's requirements",
        ) from error
    provider: S3CredentialProvider = Boto3CredentialProvider(Session(profile_name=name))
    return provider
