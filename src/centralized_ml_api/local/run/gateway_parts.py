"""Makes the processes of the gateway with their files in the state folder: Envoy and the two beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.keys import hide_keys
from centralized_ml_api.local.admission.account_book import ACCOUNTS_NAME
from centralized_ml_api.local.envoy import EnvoyGateway, Tls
from centralized_ml_api.local.run.admission_process import SupervisedAdmission
from centralized_ml_api.local.run.gateway_process import SupervisedGateway
from centralized_ml_api.local.run.translator_process import SupervisedTranslator
from centralized_ml_api.local.supervision.process import ServerLog

if TYPE_CHECKING:
    from centralized_ml_api.local.machine.certificates import Certificate
    from centralized_ml_api.local.machine.clock import Clock
    from centralized_ml_api.local.machine.state_folder import StateFolder

ACCESS_LOG_NAME = "access.log"


def make_envoy(
    state: StateFolder,
    address: tuple[str, int],
    timeout_seconds: float,
    certificate: Certificate | None = None,
) -> EnvoyGateway:
    """Makes the Envoy that listens on a host and port.

    Args:
        state: Its files are there.
        address: The host and port.
        timeout_seconds: For a response that is not streamed.
        certificate: With which it speaks HTTPS.
    """
    host, port = address
    return EnvoyGateway(
        state.gateway,
        host=host,
        port=port,
        access_log=state.logs / ACCESS_LOG_NAME,
        timeout_seconds=timeout_seconds,
        tls=None if certificate is None else Tls(certificate.chain, certificate.key, certificate.authority),
    )


def make_gateway(
    envoy: EnvoyGateway,
    state: StateFolder,
    address: tuple[str, int],
    *,
    sidecars: tuple[SupervisedAdmission, SupervisedTranslator],
    **more: Any,
) -> SupervisedGateway:
    """Makes what keeps Envoy running.

    Args:
        envoy: The Envoy.
        state: Its log is there.
        address: The host and port.
        sidecars: The admission service and the translator.
        more: What else `SupervisedGateway` takes.
    """
    log = ServerLog(state.logs / "gateway.log", hide=hide_keys)
    admission, translator = sidecars
    return SupervisedGateway(envoy, log, address, admission=admission, translator=translator, **more)


def make_admission(state: StateFolder, clock: Clock) -> SupervisedAdmission:
    """Makes the admission service, which keeps the accounts."""
    log = ServerLog(state.logs / "admission.log")
    return SupervisedAdmission(state.gateway, log, accounts=state.path / ACCOUNTS_NAME, clock=clock)


def make_translator(state: StateFolder, clock: Clock) -> SupervisedTranslator:
    """Makes the translator between APIs."""
    return SupervisedTranslator(state.gateway, ServerLog(state.logs / "translator.log"), clock=clock)
