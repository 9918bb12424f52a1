"""Makes botocore clients of one region, and decides which region that is."""

from __future__ import annotations

import importlib
import os
import threading
from typing import Any

from centralized_ml_api.aws_session import open_session
from centralized_ml_api.catalog.own_region import DEFAULT_REGION
from centralized_ml_api.errors import DeployError
from centralized_ml_api.extras import build_error

CONNECT_SECONDS = 10
READ_SECONDS = 30
IMPATIENT_SECONDS = 4
PATIENT_ATTEMPTS = 8


class AwsClients:
    """Clients of one region, from a session of their own, so that nothing global changes.

    Threads may share it: they may share clients, but only one at a time may have a session make one.
    Source: https://boto3.amazonaws.com/v1/documentation/api/latest/guide/session.html
    """

    def __init__(self, region: str | None = None) -> None:
        """Takes the region of the flag, the environment, the profile, or the default, in this order.

        Raises:
            NotInstalledError: The extra `aws` is not installed.
            DeployError: `AWS_PROFILE` names no profile.
        """
        profile_not_found = _load("botocore.exceptions").ProfileNotFound
        try:
            # Not boto3's session: it adds only resources and transfers, which nothing here uses.
            self._session = open_session()
            configured = self._session.get_config_variable("region")
        except profile_not_found as error:
            raise DeployError(str(error), fix="set AWS_PROFILE to a profile of ~/.aws/config") from error
        self._clients: dict[str, Any] = {}
        self._making = threading.Lock()
        self.region: str = region or os.environ.get("AWS_REGION") or configured or DEFAULT_REGION

    def client(self, service: str) -> Any:
        """Returns a client with short timeouts, the same each time: a person is waiting."""
        with self._making:
            if service not in self._clients:
                config = _load("botocore.config").Config(
                    connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"max_attempts": 3}
                )
                made = self._session.create_client(service, region_name=self.region, config=config)
                self._clients[service] = made
            return self._clients[service]

    def impatient_client(self, service: str, region: str) -> Any:
        """Makes a client of another region that asks once and briefly, for what has a fallback."""
        config = _load("botocore.config").Config(
            connect_timeout=IMPATIENT_SECONDS, read_timeout=IMPATIENT_SECONDS, retries={"max_attempts": 0}
        )
        return self._session.create_client(service, region_name=region, config=config)

    def patient_client(self, service: str) -> Any:
        """Makes a client for many calls in a row: it waits and slows down where AWS throttles it.

        Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html (adaptive)
        """
        config = _load("botocore.config").Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "adaptive", "total_max_attempts": PATIENT_ATTEMPTS},
        )
        return self._session.create_client(service, region_name=self.region, config=config)

    def has_credentials(self) -> bool:
        """Returns whether there are credentials, not whether AWS accepts them."""
        return self._session.get_credentials() is not None


def _load(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise build_error("aws") from error
