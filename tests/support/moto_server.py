"""AWS as a process of its own: moto's server with its gaps closed, a copy of it for each test."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.config
import psutil

from support.own_ports import own_ports
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

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


@dataclass(frozen=True, slots=True)
class MotoOriginal:
    """A server of which copies are made; at the latest, it ends with the process that started it."""

    server: MotoServer
    process: subprocess.Popen[str]

    def end(self) -> None:
        """Ends it and its copies."""
        self.process.communicate(timeout=_START_SECONDS)

    @contextlib.contextmanager
    def copy(self, folder: Path) -> Iterator[MotoServer]:
        """A server with the same content, until the end of the block; its log is a file of `folder`."""
        port, log = own_ports(), folder / "moto.log"
        log.touch()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"port": port, "log": str(log)}) + "\n")
        self.process.stdin.flush()
        copy = psutil.Process(int(self.process.stdout.readline()))
        try:
            wait_until(lambda: _answers(port) or not copy.is_running(), "moto listens", _START_SECONDS)
            assert copy.is_running(), log.read_text(encoding="utf-8")
            yield MotoServer(f"http://localhost:{port}", log)
        finally:
            with contextlib.suppress(psutil.NoSuchProcess):
                copy.terminate()
                copy.wait(_START_SECONDS)


def start_original(folder: Path) -> MotoOriginal:
    """Starts a server without anything in it; its log is a file of `folder`."""
    port, log = own_ports(), folder / "moto.log"
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "support.moto_extension", str(port)],
            cwd=TESTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        )
    wait_until(lambda: _answers(port) or process.poll() is not None, "moto listens", _START_SECONDS)
    assert process.poll() is None, log.read_text(encoding="utf-8")
    return MotoOriginal(MotoServer(f"http://localhost:{port}", log), process)


@functools.cache
def empty_original() -> MotoOriginal:
    """The server without anything in it, one for all tests of this process."""
    folder = tempfile.TemporaryDirectory(prefix="moto-")
    original = start_original(Path(folder.name))
    atexit.register(folder.cleanup)  # after the next
    atexit.register(original.end)
    return original


def start_moto(folder: Path) -> AbstractContextManager[MotoServer]:
    """A server without anything in it, until the end of the block; its log is a file of `folder`."""
    return empty_original().copy(folder)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
