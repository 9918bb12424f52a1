from __future__ import annotations

import contextlib
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from contract.api import BEDROCK_REGION, HOSTED_KEY, build_config
from contract.case import AWS, LOCAL, Case, send
from contract.suite import PATIENT
from contract.targets import Hosts, Targets, read_targets
from support.background import Background, start_background
from support.bedrock import start_bedrock
from support.local_api import LocalApi, start_local_api
from support.odd_server import OddServer
from support.provider import KEY, Provider, start_provider
from support.signed_runtime import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from support.running_gateway import Answer


BEDROCK_KEY = "bedrock-api-key-0123456789"


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    with start_background() as background:
        yield background


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the config and its function lie."""
    return tmp_path_factory.mktemp("contract")


@pytest.fixture(scope="session")
def odd() -> Iterator[OddServer]:
    """The server that all models are."""
    with OddServer() as server:
        yield server


@pytest.fixture(scope="session")
def provider(folder: Path, background: Background) -> Iterator[Provider]:
    """The provider of the hosted models, for both targets."""
    with start_provider(background, folder) as provider:
        yield provider


@pytest.fixture(scope="session")
def hosts(folder: Path, background: Background, provider: Provider) -> Iterator[Hosts]:
    """The provider, and Bedrock, which AWS's function signs its calls for; one machine sends an API key."""
    keys = Keys(BEDROCK_REGION, "bedrock")
    keys.add("none", "none")
    with start_bedrock(background, folder, keys, provider.certificate) as bedrock:
        bedrock.api_keys.add(BEDROCK_KEY)
        yield Hosts(provider, bedrock)


@pytest.fixture(scope="session")
def local(folder: Path, odd: OddServer, provider: Provider, hosts: Hosts) -> Iterator[LocalApi]:
    """The local target, with models that are real servers."""
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(socket.socket())
        held.bind(("127.0.0.1", 0))
        config = build_config(folder, odd.port, held.getsockname()[1], provider.url)
        environment = {
            "SSL_CERT_FILE": str(provider.certificate),
            HOSTED_KEY: KEY,
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": hosts.bedrock.url,
            "AWS_BEARER_TOKEN_BEDROCK": BEDROCK_KEY,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        yield stack.enter_context(start_local_api(folder, config, environment=environment)).wait_serving()


@pytest.fixture(scope="session")
def targets(local: LocalApi, folder: Path, background: Background, hosts: Hosts) -> Iterator[Targets]:
    """Both targets of the one config; behind the API of the template are the models of the local one."""
    with read_targets(local, folder, background, hosts) as targets:
        yield targets


@pytest.fixture(scope="session")
def begun(targets: Targets, odd: OddServer) -> Iterator[dict[tuple[str, str], Future[Answer]]]:
    """The cases that take long, asked when the first case is; who is not waited for is let go at the end."""
    with ThreadPoolExecutor() as pool:
        asked: list[tuple[str, Case]] = [(one, case) for case in PATIENT for one in (LOCAL, AWS)]
        yield {
            (target, case.name): pool.submit(send, targets.url(target), case.request)
            for target, case in asked
        }
        odd.released.set()
