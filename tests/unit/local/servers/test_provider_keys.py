"""Where a provider's key is read, and what is said when it cannot be."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.child_environment import inherited_environment
from centralized_ml_api.local.servers.provider_keys import (
    SECRET_SECONDS,
    KeptSecret,
    SecretsAwayError,
    explain_failure,
    open_key,
    open_secrets,
)
from centralized_ml_api.plan.provider import KeyPlace
from support.moto_server import start_moto

if TYPE_CHECKING:
    from pathlib import Path

KEY = "sk-a-key_0123"


def refusal(place: KeyPlace, *folders: Path) -> StartError:
    with pytest.raises(StartError) as refused:
        open_key(place, folders).read()
    assert KEY not in f"{refused.value.message}{refused.value.fix}"
    return refused.value


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_variable_is_read_and_no_child_inherits_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_PROVIDERS_KEY", f" {KEY}\n")
    monkeypatch.setenv("ANOTHER", "x")
    assert open_key(KeyPlace("env", "A_PROVIDERS_KEY"), ()).read() == KEY
    assert os.environ["A_PROVIDERS_KEY"], "this process may read it again"
    assert "A_PROVIDERS_KEY" not in inherited_environment()
    assert inherited_environment()["ANOTHER"] == "x"


def test_a_variable_that_is_not_set_is_named() -> None:
    error = refusal(KeyPlace("env", "NOBODY_SETS_THIS"))
    assert "NOBODY_SETS_THIS" in error.message
    assert error.fix == "set NOBODY_SETS_THIS and start again"


def test_a_file_is_found_as_other_files_of_the_config_and_read_anew(tmp_path: Path) -> None:
    reader = open_key(KeyPlace("file", "key"), (tmp_path / "none", tmp_path))
    write(tmp_path / "key", f"{KEY}\n")
    assert reader.read() == KEY
    write(tmp_path / "key", "another")
    assert reader.read() == "another"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_file_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    file = write(tmp_path / "key", KEY, mode)
    error = refusal(KeyPlace("file", "key"), tmp_path)
    assert (error.message, error.fix) == (
        f"others on this machine may read the key file {file}",
        f"chmod 600 {file}",
    )


def test_a_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    assert (
        refusal(KeyPlace("file", "key"), tmp_path).message
        == f"the key file {tmp_path / 'key'} does not exist"
    )


@pytest.mark.parametrize(
    "text", ["", " \n", f"{KEY} {KEY}", f"{KEY}\n{KEY}", "sk-\x00", "schlüssel", "a" * 20_000]
)
def test_what_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    write(tmp_path / "key", text)
    assert refusal(KeyPlace("file", "key"), tmp_path).fix == "put the key there, and nothing else"


@pytest.mark.slow
def test_a_secret_comes_from_secrets_manager_by_its_name_or_arn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with start_moto(tmp_path) as aws:
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        made = aws.client("secretsmanager").create_secret(Name="openai-key", SecretString=f"{KEY}\n")
        aws.client("secretsmanager").create_secret(Name="binary", SecretBinary=b"x")
        for name in ("openai-key", made["ARN"]):
            assert open_key(KeyPlace("secret", name), ()).read() == KEY
        assert refusal(KeyPlace("secret", "binary")).message == "the secret binary is binary"
        error = refusal(KeyPlace("secret", "none"))
        assert error.message.startswith("the secret none cannot be read: ")
        assert "secretsmanager:GetSecretValue" in error.fix
        assert not isinstance(error, SecretsAwayError)
    assert isinstance(refusal(KeyPlace("secret", "openai-key")), SecretsAwayError), "AWS is gone"


class Aws:
    """Secrets Manager, which answers or does not."""

    def __init__(self) -> None:
        self.answer: str | StartError = KEY
        self.asked: list[str] = []
        self.now = 0.0

    def fetch(self, name: str) -> str:
        self.asked.append(name)
        if isinstance(self.answer, StartError):
            raise self.answer
        return self.answer


def test_a_secret_is_asked_for_once_a_minute_and_seen_when_it_is_replaced() -> None:
    aws = Aws()
    secret = KeptSecret("openai-key", aws.fetch, lambda: aws.now)
    assert [secret.read(), secret.read()] == [KEY, KEY]
    assert aws.asked == ["openai-key"]
    aws.answer = "another"
    assert secret.read() == KEY
    aws.now = SECRET_SECONDS
    assert secret.read() == "another"


def test_the_last_secret_stays_while_aws_does_not_answer() -> None:
    aws = Aws()
    secret = KeptSecret("openai-key", aws.fetch, lambda: aws.now)
    aws.answer = SecretsAwayError("no way to AWS")
    with pytest.raises(StartError, match="no way to AWS"):
        secret.read()
    aws.answer, aws.now = KEY, SECRET_SECONDS
    assert secret.read() == KEY
    aws.answer, aws.now = SecretsAwayError("no way to AWS"), 2 * SECRET_SECONDS
    assert secret.read() == KEY
    assert len(aws.asked) == 3


@pytest.mark.parametrize(
    ("answer", "said"), [(StartError("it is deleted"), "it is deleted"), ("two words", "something else")]
)
def test_a_withdrawn_secret_is_used_no_longer(answer: str | StartError, said: str) -> None:
    aws = Aws()
    secret = KeptSecret("openai-key", aws.fetch, lambda: aws.now)
    assert secret.read() == KEY
    aws.answer, aws.now = answer, SECRET_SECONDS
    with pytest.raises(StartError, match=said):
        secret.read()
    aws.answer, aws.now = SecretsAwayError("no way to AWS"), 2 * SECRET_SECONDS
    with pytest.raises(StartError, match="no way to AWS"):
        secret.read()
    aws.answer, aws.now = "another", 3 * SECRET_SECONDS
    assert secret.read() == "another"


def test_after_a_failure_a_minute_passes_until_aws_is_asked_again() -> None:
    aws = Aws()
    secret = KeptSecret("openai-key", aws.fetch, lambda: aws.now)
    aws.answer = StartError("no access")
    for aws.now in (0.0, 2.0, SECRET_SECONDS - 1):
        with pytest.raises(StartError, match="no access"):
            secret.read()
    assert len(aws.asked) == 1
    aws.answer, aws.now = KEY, SECRET_SECONDS
    assert secret.read() == KEY


def refused(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "so"}, "ResponseMetadata": {"HTTPStatusCode": status}},
        "GetSecretValue",
    )


@pytest.mark.parametrize(
    ("error", "is_away"),
    [
        (refused("ThrottlingException"), True),
        (refused("InternalServiceError", 500), True),
        (EndpointConnectionError(endpoint_url="https://a.test"), True),
        (ConnectTimeoutError(endpoint_url="https://a.test"), True),
        (ReadTimeoutError(endpoint_url="https://a.test"), True),
        (refused("ResourceNotFoundException"), False),
        (refused("AccessDeniedException"), False),
        (refused("InvalidRequestException"), False),
        (refused("DecryptionFailure"), False),
        (NoCredentialsError(), False),
    ],
)
def test_an_outage_of_aws_says_nothing_of_the_secret(error: Exception, is_away: bool) -> None:  # noqa: FBT001  # a column
    explained = explain_failure("openai-key", error)
    assert isinstance(explained, SecretsAwayError) is is_away
    assert explained.message == f"the secret openai-key cannot be read: {error}"


def test_aws_is_not_waited_for_for_long() -> None:
    client = open_secrets("arn:aws:secretsmanager:eu-west-1:123456789012:secret:openai-key-AbCdEf")
    config = client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (5, 5)
    assert config.retries["total_max_attempts"] == 3
    assert client.meta.region_name == "eu-west-1"
