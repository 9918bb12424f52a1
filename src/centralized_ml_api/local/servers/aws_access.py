"""The user's own access to AWS: where a runtime API is, and what its calls are signed with.

The credentials are found as every AWS tool finds them (environment, profiles, single sign-on, roles,
`credential_process`, the machine's own role): botocore does it and refreshes them, for Envoy knows only some
of these ways.
Source: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from centralized_ml_api.aws_session import open_session
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.private_file import write_private_file
from centralized_ml_api.local.servers.provider_keys import check_key

if TYPE_CHECKING:
    from botocore.session import Session

RuntimeApi = Literal["sagemaker-runtime", "bedrock-runtime"]
"""The services of AWS that are called, by botocore's names."""

_PORTS = {"http": 80, "https": 443}
_LOG_IN = (
    "log in with `aws sso login` or `aws configure`, or choose a profile with AWS_PROFILE, and start again"
)
_EXPORT = 'use the session of the AWS CLI: eval "$(aws configure export-credentials --format env)"'
_STAMPED = ("config_file", "credentials_file")
_REGIONS = {
    "sagemaker-runtime": 'add it to the local block: "region": "eu-west-1"',
    "bedrock-runtime": 'add it beside the id of the model: "bedrock_region": "us-east-1",'
    ' or "region" in a local block',
}
"""Where the config takes the region of a service."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What calls are signed with."""

    key: str
    secret: str = field(repr=False)
    token: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class AwsTarget:
    """Where a runtime API of a region is."""

    region: str
    url: str

    @property
    def host(self) -> str:
        """The host of the runtime API, such as `runtime.sagemaker.eu-west-1.amazonaws.com`."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port of the runtime API."""
        parts = urlsplit(self.url)
        return parts.port or _PORTS[parts.scheme]

    @property
    def tls(self) -> bool:
        """Whether the address is https: always, unless the user has set another one."""
        return urlsplit(self.url).scheme == "https"

    def path_of(self, operation: str) -> str:
        """Returns the path of an operation, below the path of the address if that has one.

        Args:
            operation: Its path at AWS.
        """
        return f"{urlsplit(self.url).path.rstrip('/')}{operation}"


@dataclass(frozen=True, slots=True)
class Access:
    """What a call needs: credentials to sign with, or a `bearer` that is sent instead."""

    target: AwsTarget
    credentials: Credentials | None
    bearer: str = field(default="", repr=False)


class AwsAccess:
    """The user's access to a runtime API, as it is now.

    A look may use the network: look in a thread, one at a time.

    Args:
        service: The runtime API.
        region: The config's; without it the one of the user's own AWS configuration.
        bearer: The variable that may hold a key to be sent in place of a signature; empty for none.
    """

    def __init__(self, service: RuntimeApi, region: str | None, bearer: str = "") -> None:
        self._service = service
        self._region = region
        self._bearer = bearer
        self._session: Session | None = None
        self._target: AwsTarget | None = None
        self._stamp: tuple[Any, ...] = ()

    def look(self) -> Access:
        """Returns the access, with credentials that stay valid for some minutes; quick when nothing changed.

        Raises:
            StartError: There is none; the message says why, the fix what to do.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # only who uses it pays

        written = os.environ.get(self._bearer) if self._bearer else None
        bearer = check_key(written, f"the variable {self._bearer}") if written else ""
        try:
            session = self._fresh_session()
            credentials = None if bearer else _load_credentials(session)
            self._target = self._target or self._find_target(session)
            return Access(self._target, credentials, bearer)
        except (BotoCoreError, ClientError, OSError, ValueError) as error:
            self._session = None
            raise StartError(f"AWS cannot be called: {error}", fix=_LOG_IN) from error
        except StartError:
            self._session = None
            raise

    def _fresh_session(self) -> Session:
        """Returns the session of the last look, unless the user's AWS files changed or that look failed."""
        if self._session is None or _stamp(self._session) != self._stamp:
            self._session, self._target = open_session(), None
            self._stamp = _stamp(self._session)
        return self._session

    def _find_target(self, session: Session) -> AwsTarget:
        """Returns where every AWS SDK would call, including overrides by a variable or a profile.

        Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
        """
        region = self._region or os.environ.get("AWS_REGION") or session.get_config_variable("region")
        if not region:
            raise StartError("no AWS region is set", fix=_REGIONS[self._service])
        client = session.create_client(self._service, region_name=region)
        try:
            return AwsTarget(region, client.meta.endpoint_url)
        finally:
            client.close()


def _load_credentials(session: Session) -> Credentials:
    """Loads credentials; botocore refreshes them 15 minutes before they expire."""
    if _asks_for_code(session):
        raise StartError(
            "the AWS profile asks for a one-time code, which cannot be entered here", fix=_EXPORT
        )
    found = session.get_credentials()
    if found is None:
        raise StartError("no AWS credentials were found", fix=_LOG_IN)
    frozen = found.get_frozen_credentials()
    return Credentials(frozen.access_key, frozen.secret_key, frozen.token)


def _asks_for_code(session: Session) -> bool:
    """Returns whether botocore would ask for one on the terminal: for a role, unless variables hold keys."""
    profile = session.get_scoped_config()
    return {"role_arn", "mfa_serial"} <= profile.keys() and "AWS_ACCESS_KEY_ID" not in os.environ


def _stamp(session: Session) -> tuple[Any, ...]:
    """Changes when the user's AWS files do."""
    names = (session.get_config_variable(name) for name in _STAMPED)
    return tuple(_stamp_of(Path(name).expanduser()) for name in names)


def _stamp_of(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def write_credentials(path: Path, credentials: Credentials) -> None:
    """Writes them atomically, mode 0600, as the profile `default` of a file in AWS's own format.

    Raises:
        StartError: They are not valid, or the file cannot be written.
    """
    values = {
        "aws_access_key_id": credentials.key,
        "aws_secret_access_key": credentials.secret,
        "aws_session_token": credentials.token,
    }
    if not all(value.isprintable() for value in values.values() if value):
        raise StartError(
            "the AWS credentials contain characters that credentials cannot contain", fix=_LOG_IN
        )
    lines = [f"{name} = {value}" for name, value in values.items() if value]
    write_private_file(path, "\n".join(["[default]", *lines, ""]))
