"""The user's way into AWS, found as every AWS tool finds it."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.servers.aws_access import (
    AwsAccess,
    AwsTarget,
    Credentials,
    write_credentials,
)
from centralized_ml_api.local.servers.sagemaker import build_operation

if TYPE_CHECKING:
    from pathlib import Path

STATIC = "[default]\naws_access_key_id = AKID{}\naws_secret_access_key = secret\n"
SSO = """[default]
sso_start_url = https://nobody.awsapps.example/start
sso_region = eu-west-1
sso_account_id = 111122223333
sso_role_name = reader
"""
MFA = """[default]
role_arn = arn:aws:iam::111122223333:role/reader
credential_source = Environment
mfa_serial = arn:aws:iam::111122223333:mfa/me
"""


@pytest.fixture(autouse=True)
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who has nothing of AWS yet, and the folder where that would be."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


def key_of(access: AwsAccess) -> str:
    credentials = access.look().credentials
    assert credentials
    return credentials.key


def test_without_credentials_it_says_how_to_log_in() -> None:
    with pytest.raises(StartError, match="no AWS credentials were found") as failed:
        AwsAccess("sagemaker-runtime", "eu-west-1").look()
    assert "aws sso login" in failed.value.fix


def test_without_a_region_it_says_what_to_write(aws: Path) -> None:
    (aws / "credentials").write_text(STATIC.format(1))
    with pytest.raises(StartError, match="no AWS region") as failed:
        AwsAccess("sagemaker-runtime", None).look()
    assert '"region": "eu-west-1"' in failed.value.fix


def test_the_regions_of_config_environment_and_profile_count_in_this_order(
    aws: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (aws / "credentials").write_text(STATIC.format(1))
    (aws / "config").write_text("[default]\nregion = eu-west-3\n")
    assert AwsAccess("sagemaker-runtime", None).look().target.region == "eu-west-3"
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    assert AwsAccess("sagemaker-runtime", None).look().target.region == "eu-west-2"
    target = AwsAccess("sagemaker-runtime", "eu-west-1").look().target
    assert target == AwsTarget("eu-west-1", "https://runtime.sagemaker.eu-west-1.amazonaws.com")
    assert (target.host, target.port, target.tls) == ("runtime.sagemaker.eu-west-1.amazonaws.com", 443, True)
    assert target.path_of(build_operation("A-1", "invocations")) == "/endpoints/A-1/invocations"


def test_another_address_is_that_of_the_aws_variable(aws: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (aws / "credentials").write_text(STATIC.format(1))
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "http://localhost:4566/aws/")
    target = AwsAccess("sagemaker-runtime", "eu-west-1").look().target
    assert (target.host, target.port, target.tls) == ("localhost", 4566, False)
    assert target.path_of(build_operation("A/1", "invocations")) == "/aws/endpoints/A%2F1/invocations"


@pytest.mark.slow
def test_who_logs_in_later_or_anew_is_noticed(aws: Path) -> None:
    access = AwsAccess("sagemaker-runtime", "eu-west-1")
    with pytest.raises(StartError):
        access.look()
    for number in ("1", "22", "333"):
        (aws / "credentials").write_text(STATIC.format(number))
        assert access.look().credentials == Credentials(f"AKID{number}", "secret", None)


def test_credentials_are_refreshed_before_they_expire(aws: Path) -> None:
    program = aws / "process.py"
    program.write_text(
        "import datetime, json, pathlib\n"
        f"count = pathlib.Path({str(aws / 'count')!r})\n"
        "times = len(count.read_text()) if count.exists() else 0\n"
        "count.write_text('x' * (times + 1))\n"
        "soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=5)\n"
        "print(json.dumps({'Version': 1, 'AccessKeyId': f'AKID{times}', 'SecretAccessKey': 's',"
        " 'SessionToken': 't', 'Expiration': soon.isoformat()}))\n"
    )
    (aws / "config").write_text(f"[default]\ncredential_process = {sys.executable} {program}\n")
    access = AwsAccess("sagemaker-runtime", "eu-west-1")
    keys = [key_of(access) for _ in range(3)]
    assert keys == sorted(set(keys)), "each is good for five minutes only, so each look brings new ones"


@pytest.mark.parametrize(
    ("config", "profile", "said"),
    [
        ("[default]\ncredential_process = /nowhere/at-all\n", "default", "AWS cannot be called"),
        ("", "missing", "missing"),
        (SSO, "default", "SSO"),
        (MFA, "default", "one-time code"),
        ("not an ini file", "default", "AWS cannot be called"),
    ],
)
def test_what_is_wrong_with_a_profile_is_said(
    aws: Path, monkeypatch: pytest.MonkeyPatch, config: str, profile: str, said: str
) -> None:
    (aws / "config").write_text(config)
    monkeypatch.setenv("AWS_PROFILE", profile)
    with pytest.raises(StartError, match=said):
        AwsAccess("sagemaker-runtime", "eu-west-1").look()


def test_a_session_in_variables_needs_no_code(aws: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (aws / "config").write_text(MFA)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert key_of(AwsAccess("sagemaker-runtime", "eu-west-1")) == "AKID"


def test_credentials_are_written_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "new/credentials"
    write_credentials(path, Credentials("AKID", "a=b/c+d", "t=="))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.read_text().splitlines() == [
        "[default]",
        "aws_access_key_id = AKID",
        "aws_secret_access_key = a=b/c+d",
        "aws_session_token = t==",
    ]
    assert list(path.parent.iterdir()) == [path]


def test_credentials_that_would_be_more_lines_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="characters"):
        write_credentials(tmp_path / "credentials", Credentials("AKID", "a\n[other]", None))
    assert list(tmp_path.iterdir()) == []


def test_no_secret_is_in_what_is_printed_of_credentials() -> None:
    shown = repr(Credentials("AKID", "the secret", "the token"))
    assert "the secret" not in shown
    assert "the token" not in shown
    assert json.dumps(shown)
