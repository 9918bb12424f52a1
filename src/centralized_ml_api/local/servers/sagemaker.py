"""`sagemaker`: a real endpoint, called with the user's own AWS credentials; Envoy signs the calls."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.servers.aws_access import AwsAccess
from centralized_ml_api.local.servers.aws_service import AwsService

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from centralized_ml_api.local.servers.aws_access import Access
    from centralized_ml_api.local.servers.parts import ModelSpec, ServiceParts
    from centralized_ml_api.local.supervision.service import Service
    from centralized_ml_api.plan.engines import SageMakerServing


def build_operation(endpoint_name: str, operation: str) -> str:
    """Builds the path of an operation of an endpoint.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html

    Args:
        endpoint_name: The endpoint.
        operation: Such as `invocations`.
    """
    return f"/endpoints/{quote(endpoint_name, safe='')}/{operation}"


def sign(
    access: Access, endpoint_name: str, operation: str, headers: Mapping[str, str], body: bytes
) -> tuple[str, dict[str, str]]:
    """Signs a call: returns the address of an operation, and `headers` with the signature.

    Args:
        access: Whose credentials sign, and for which region.
        endpoint_name: The endpoint.
        operation: Such as `invocations`.
        headers: Those of the call.
        body: That of the call; its digest is signed.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html

    Raises:
        ValueError: The access has no credentials to sign with.
    """
    from botocore.auth import SigV4Auth  # noqa: PLC0415  # only who uses it pays
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.credentials import Credentials as Signer  # noqa: PLC0415

    keys = access.credentials
    if keys is None:
        raise ValueError("there are no credentials")
    url = f"{access.target.url.rstrip('/')}{build_operation(endpoint_name, operation)}"
    request = AWSRequest("POST", url, data=body, headers=dict(headers))
    SigV4Auth(Signer(keys.key, keys.secret, keys.token), "sagemaker", access.target.region).add_auth(request)
    return url, dict(request.headers.items())


class SageMakerService(AwsService):
    """Ready while AWS can be called; only a call can tell whether the endpoint answers.

    Args:
        source: The access to AWS.
        scratch: Where the credentials may lie, in a folder of their own (mode 0700), until `run` ends.
        own_url: The address of the same API on this machine, which must not be mistaken for the real one.
        changed: Called after each change of the report.
    """

    SIGNED_FOR = "sagemaker"

    def __init__(self, source: AwsAccess, scratch: Path, own_url: str, changed: Callable[[], None]) -> None:
        super().__init__(source, scratch, changed)
        self._own_url = own_url

    def check(self, access: Access) -> None:
        """Checks that calls would leave this machine.

        Raises:
            StartError: They would not.
        """
        if access.target.url.rstrip("/") == self._own_url:
            raise StartError(
                "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME points to this machine, not to AWS",
                fix="unset it, then start the API again",
            )

    def path_of(self, endpoint_name: str) -> str:
        """Returns the path there that takes calls of an endpoint."""
        if self.access is None:
            return "/"
        return self.access.target.path_of(build_operation(endpoint_name, "invocations"))

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


def make_service(
    spec: ModelSpec, serving: SageMakerServing, parts: ServiceParts, changed: Callable[[], None]
) -> Service:
    """Makes a service that keeps the credentials fresh."""
    del spec
    access = AwsAccess("sagemaker-runtime", serving.region)
    return SageMakerService(access, parts.scratch, parts.runtime_url, changed)
