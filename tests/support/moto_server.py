"""AWS as a process of its own: moto's server with its gaps closed, new for each test."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.config

from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parents[1]
REGION = "us-east-1"
_BAD = re.compile(r'No Moto CloudFormation support.*|" 5\d\d -|^\w*Error: .*', re.MULTILINE)
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class MotoServer:
    """Where it listens and what it says."""

    url: str
    log: Path

    @property
    def environment(self) -> dict[str, str]:
        """Settings that lead every AWS SDK there and nowhere else.

        The host must be spelled `localhost`: moto finds the bucket in the path only then.
        """
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def client(self, service: str) -> Any:
        """A boto3 client of it."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",  # noqa: S106  # moto takes anything
            config=botocore.config.Config(retries={"max_attempts": 1}),
        )

    def complaints(self) -> list[str]:
        """What it could not do: types that it skipped, crashes."""
        return _BAD.findall(self.log.read_text(encoding="utf-8"))


@contextlib.contextmanager
def start_moto(folder: Path) -> Iterator[MotoServer]:
    """A server without anything in it, until the end of the block; its log is a file of `folder`."""
    port, log = _free_port(), folder / "moto.log"
    command = [sys.executable, "-m", "support.moto_extension", str(port)]
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(command, cwd=TESTS, stdout=file, stderr=subprocess.STDOUT)
    server = MotoServer(f"http://localhost:{port}", log)
    try:
        wait_until(lambda: _answers(port) or process.poll() is not None, "moto listens", _START_SECONDS)
        assert process.poll() is None, log.read_text(encoding="utf-8")
        yield server
    finally:
        process.terminate()
        process.wait(_START_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
