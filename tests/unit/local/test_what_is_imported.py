"""What a process does not import it need not wait for: half a second of a start once was such imports."""

from __future__ import annotations

import subprocess
import sys

import pytest

PACKAGE = "centralized_ml_api"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("started", "heavy"),
    [
        ("local.lambda_host.host", ["pydantic", "psutil", "urllib3"]),
        (
            "local.run.serve",
            [
                "aiohttp",
                "prometheus_client",
                "pydantic",
                "botocore",
                "urllib3",
                "segno",
                "importlib.metadata",
                "email",
            ],
        ),
        ("local.run.early", ["asyncio", "aiohttp", "pydantic", f"{PACKAGE}.config.schema"]),
        ("cli.verbs.up", ["asyncio", "aiohttp", "pydantic", f"{PACKAGE}.config.schema", "psutil"]),
        (
            "cli.verbs.check",
            ["aiohttp", "pydantic", "urllib3", "botocore", "asyncio", "importlib.metadata", "email"],
        ),
        (
            "aws.planning.load",
            ["aws_cdk", "pydantic", "urllib3", "botocore", "asyncio", "configparser", "packaging.specifiers"],
        ),
        ("cli.verbs.plan", ["aiohttp", "pydantic", "urllib3", "boto3", "asyncio"]),
    ],
)
def test_what_starts_first_does_without(started: str, heavy: list[str]) -> None:
    code = f"import sys, {PACKAGE}.{started}; print(*(set({heavy}) & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout.split() == [], f"{PACKAGE}.{started} imports them"
