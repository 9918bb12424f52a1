"""The emulator as a process: on loopback alone, in a folder of its own, without an account or the network."""

from __future__ import annotations

import contextlib
import os
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.config

from centralized_ml_api.local.machine.ports import bind_loopback
from support.api_gateway.document import PSEUDO_PARAMETERS
from support.synthesis import REGION
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

PYTHON = Path(__file__).parents[2] / ".venv/emulator/bin/python"
ACCOUNT = PSEUDO_PARAMETERS["AWS::AccountId"]
START_SECONDS = 240.0
_PROGRAM = """
import ctypes, runpy, signal, sys

if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: it ends with the tests, however they end
runpy.run_module("localstack.runtime.main", run_name="__main__")
"""
_STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Emulator:
    """Where it listens, the file that it writes its warnings to, and its process."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def client(self, service: str) -> Any:
        """Returns a boto3 client of it; the key's id is the account, as the emulator reads it."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="testing",  # noqa: S106  # it takes anything
            config=botocore.config.Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def warnings(self) -> list[str]:
        """Returns what it complained about so far."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if " WARN " in line or " ERROR " in line]


def is_installed() -> bool:
    """Returns whether `make emulator` has installed it."""
    return PYTHON.exists()


@contextlib.contextmanager
def start_emulator(folder: Path) -> Iterator[Emulator]:
    """Starts an empty emulator whose files are in `folder`, until the end of the block.

    It is killed, since it has nothing to keep, and does not end in time when it is asked to.
    """
    port, log = _free_port(), folder / "emulator.log"
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            [str(PYTHON), "-c", _PROGRAM],
            cwd=folder,
            env=_environment(folder, port),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    emulator = Emulator(f"http://127.0.0.1:{port}", log, process)
    try:
        wait_until(
            lambda: process.poll() is not None or _is_ready(emulator.url), "the emulator runs", START_SECONDS
        )
        assert process.poll() is None, log.read_text(encoding="utf-8")
        yield emulator
    finally:
        process.kill()
        process.wait(_STOP_SECONDS)


def _environment(folder: Path, port: int) -> dict[str, str]:
    """Builds its whole environment: nothing of the user's, such as credentials, gets in.

    Source: https://docs.localstack.cloud/aws/capabilities/config/configuration/ and its `config.py`
    """
    listen = f"127.0.0.1:{port}"
    return {
        "PATH": os.defpath,
        "HOME": str(folder),
        "CONFIG_DIR": str(folder / "config"),
        "FILESYSTEM_ROOT": str(folder / "root"),
        "LOCALSTACK_VOLUME_DIR": str(folder / "volume"),
        "PYTHONDONTWRITEBYTECODE": "1",
        # As on a host even where this is a container: there it would listen on every address.
        "OVERRIDE_IN_DOCKER": "0",
        # Its other server, Twisted, takes the port of GATEWAY_LISTEN and listens on every address.
        "GATEWAY_SERVER": "hypercorn",
        "GATEWAY_LISTEN": listen,
        "LOCALSTACK_HOST": listen,
        "SERVICES": "apigateway,s3,iam,sts",
        "EAGER_SERVICE_LOADING": "1",
        # Nothing is fetched and nothing is reported.
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",
        "DNS_ADDRESS": "0",
        # The API's own CORS headers are what is judged.
        "DISABLE_CORS_CHECKS": "1",
        "DISABLE_CORS_HEADERS": "1",
        "DISABLE_CUSTOM_CORS_APIGATEWAY": "1",
        "DISABLE_PREFLIGHT_PROCESSING": "1",
        "LS_LOG": "warning",
    }


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_localstack/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _free_port() -> int:
    with bind_loopback() as listening:
        port: int = listening.getsockname()[1]
        return port
