"""`sagemaker`: a real endpoint, called with the user's own AWS credentials.

The credentials are found as every AWS tool finds them (environment, profiles, single sign-on, roles,
`credential_process`, the machine's own role): botocore does it and refreshes them, for Envoy knows only some
of these ways. Envoy signs, with what stands in a file that is written here.
Source: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.gateway import ExternalUpstream, Signing, Upstream
from centralized_ml_api.local.machine.private_file import write_private_file
from centralized_ml_api.local.supervision.service import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.session import Session

    from centralized_ml_api.local.servers.parts import ModelSpec, ServiceParts
    from centralized_ml_api.local.supervision.service import Service
    from centralized_ml_api.plan.engines import SageMakerServing

_PORTS = {"http": 80, "https": 443}
_LOG_IN = (
    "log in with `aws sso login` or `aws configure`, or choose a profile with AWS_PROFILE, and start again"
)
_EXPORT = 'use the session of the AWS CLI: eval "$(aws configure export-credentials --format env)"'
_STAMPED = ("config_file", "credentials_file")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What calls are signed with."""

    key: str
    secret: str = field(repr=False)
    token: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class SageMakerTarget:
    """Where SageMaker's runtime API of a region is."""

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

    def invocations_path(self, endpoint_name: str) -> str:
        """Returns the path that takes calls of an endpoint.

        Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
        """
        return f"{urlsplit(self.url).path.rstrip('/')}{_operation(endpoint_name, 'invocations')}"


def _operation(endpoint_name: str, operation: str) -> str:
    return f"/endpoints/{quote(endpoint_name, safe='')}/{operation}"


@dataclass(frozen=True, slots=True)
class Access:
    """What a call needs."""

    target: SageMakerTarget
    credentials: Credentials


class AwsAccess:
    """The user's access to AWS, as it is now. A look may use the network: look in a thread, one at a time.

    Args:
        region: The config's; without it the one of the user's own AWS configuration.
    """

    def __init__(self, region: str | None) -> None:
        self._region = region
        self._session: Session | None = None
        self._target: SageMakerTarget | None = None
        self._stamp: tuple[Any, ...] = ()

    def look(self) -> Access:
        """Returns the access, with credentials that stay valid for some minutes; quick when nothing changed.

        Raises:
            StartError: there is none; the message says why, the fix what to do.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # only who uses it pays

        try:
            session = self._fresh_session()
            credentials = _load_credentials(session)
            self._target = self._target or self._find_target(session)
            return Access(self._target, credentials)
        except (BotoCoreError, ClientError, OSError, ValueError) as error:
            self._session = None
            raise StartError(f"AWS cannot be called: {error}", fix=_LOG_IN) from error
        except StartError:
            self._session = None
            raise

    def _fresh_session(self) -> Session:
        """Returns the session of the last look, unless the user's AWS files changed or that look failed."""
        from botocore.session import Session  # noqa: PLC0415

        if self._session is None or _stamp(self._session) != self._stamp:
            self._session, self._target = Session(), None
            self._stamp = _stamp(self._session)
        return self._session

    def _find_target(self, session: Session) -> SageMakerTarget:
        """Returns where every AWS SDK would call, including overrides by a variable or a profile.

        Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
        """
        region = self._region or os.environ.get("AWS_REGION") or session.get_config_variable("region")
        if not region:
            raise StartError("no AWS region is set", fix='add it to the local block: "region": "eu-west-1"')
        client = session.create_client("sagemaker-runtime", region_name=region)
        try:
            return SageMakerTarget(region, client.meta.endpoint_url)
        finally:
            client.close()


def sign(
    access: Access, endpoint_name: str, operation: str, headers: Mapping[str, str], body: bytes
) -> tuple[str, dict[str, str]]:
    """Signs a call: returns the address of an operation (`invocations`), and `headers` with the signature.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
    """
    from botocore.auth import SigV4Auth  # noqa: PLC0415
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.credentials import Credentials as Signer  # noqa: PLC0415

    url = f"{access.target.url.rstrip('/')}{_operation(endpoint_name, operation)}"
    keys = access.credentials
    request = AWSRequest("POST", url, data=body, headers=dict(headers))
    SigV4Auth(Signer(keys.key, keys.secret, keys.token), "sagemaker", access.target.region).add_auth(request)
    return url, dict(request.headers.items())


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
        StartError: they are not valid, or the file cannot be written.
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


class SageMakerService:
    """Ready while AWS can be called; only a call can tell whether the endpoint answers.

    Args:
        access: The access to AWS.
        scratch: Where the credentials may lie, in a folder of their own (mode 0700), until `run` ends.
        own_url: The address of the same API on this machine, which must not be mistaken for the real one.
        changed: Called after each change of the report.
    """

    LOOK_SECONDS = 2.0
    RETRY_SECONDS = 5.0

    def __init__(self, access: AwsAccess, scratch: Path, own_url: str, changed: Callable[[], None]) -> None:
        self._source = access
        self._scratch = scratch
        self._own_url = own_url
        self._changed = changed
        self._folder: TemporaryDirectory[str] | None = None
        self._report = Report("starting")
        self.access: Access | None = None

    async def run(self) -> None:
        """Looks again and again until cancelled; the credentials are gone then."""
        try:
            while True:
                report = await self._look()
                await asyncio.sleep(self.LOOK_SECONDS if report.state == "ready" else self.RETRY_SECONDS)
        finally:
            self._remove()

    def report(self) -> Report:
        """Returns ready, or why AWS cannot be called."""
        return self._report

    def upstream(self, name: str) -> ExternalUpstream | Upstream:
        """Returns where the gateway sends calls; nowhere until the first credentials are found."""
        if self.access is None or self._file is None:
            return Upstream(name, ())
        target, signing = self.access.target, Signing(self.access.target.region, self._file)
        ready = self._report.state == "ready"
        return ExternalUpstream(name, target.host, target.port, target.tls, ready, signing)

    def path_of(self, endpoint_name: str) -> str:
        """Returns the path there that takes calls of an endpoint."""
        return self.access.target.invocations_path(endpoint_name) if self.access else "/"

    def about(self) -> Mapping[str, Any]:
        """Returns nothing: an endpoint does not describe its model."""
        return {}

    def sign(
        self, endpoint_name: str, operation: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[str, dict[str, str]] | None:
        """Returns the URL of an operation and the signed headers; None while AWS cannot be called.

        Args:
            endpoint_name: The endpoint.
            operation: Such as `invocations`.
            headers: Those of the call.
            body: That of the call; its digest is signed.
        """
        if self.access is None or self.report().state != "ready":
            return None
        return sign(self.access, endpoint_name, operation, headers, body)

    @property
    def _file(self) -> Path | None:
        return Path(self._folder.name, "credentials") if self._folder else None

    async def _look(self) -> Report:
        before = self._report, self.upstream("")
        try:
            self._take(await asyncio.to_thread(self._source.look))
            self._report = Report("ready", ready_replicas=1)
        except StartError as error:
            self._report = Report("unready", f"{error.message} ({error.fix})" if error.fix else error.message)
        if before != (self._report, self.upstream("")):
            self._changed()
        return self._report

    def _take(self, access: Access) -> None:
        if access.target.url.rstrip("/") == self._own_url:
            raise StartError(
                "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME points to this machine, not to AWS",
                fix="unset it, then start the API again",
            )
        file = self._file
        if file is None or not file.is_file():
            write_credentials(self._make_folder() / "credentials", access.credentials)
        elif access != self.access:
            write_credentials(file, access.credentials)
        self.access = access

    def _make_folder(self) -> Path:
        """Makes a new folder each time: once its folder is deleted, Envoy stops watching a file for good."""
        self._remove()
        try:
            self._folder = TemporaryDirectory(prefix="aws-", dir=self._scratch, ignore_cleanup_errors=True)
        except OSError as error:
            raise StartError(f"{self._scratch} cannot be written: {error.strerror or error}") from error
        return Path(self._folder.name)

    def _remove(self) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()


def make_service(
    spec: ModelSpec, serving: SageMakerServing, parts: ServiceParts, changed: Callable[[], None]
) -> Service:
    """Makes a service that keeps the credentials fresh."""
    del spec
    return SageMakerService(AwsAccess(serving.region), parts.scratch, parts.runtime_url, changed)
