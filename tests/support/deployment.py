"""One deployment of a test: its config, the commands on it, and what AWS then has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.aws.cdk.cdk_cli import build_app_command
from support.moto_server import REGION, MotoServer

if TYPE_CHECKING:
    from centralized_ml_api.aws.cdk.cdk_cli import CdkCli

ROOT = Path(__file__).parents[2]
STACK = "CentralizedMlApiStack"
ACCOUNT = "123456789012"
_COMMAND_SECONDS = 240

Config = dict[str, Any]
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class Deployment:
    """Runs `mlapi` and `cdk` against the simulated AWS; `folder` holds the config and the state."""

    aws: MotoServer
    folder: Path
    mirror: Path

    @property
    def config(self) -> Path:
        """The config file."""
        return self.folder / "models.json"

    @property
    def environment(self) -> dict[str, str]:
        """The commands' environment; without the template validator, which has a test of its own."""
        more = {"MLAPI_JUMPSTART_MIRROR": str(self.mirror), "CDK_VALIDATION": "false", "NO_COLOR": "1"}
        return {**os.environ, **self.aws.environment, **more}

    def write(self, config: Config) -> None:
        """Makes this the config."""
        self.config.write_text(json.dumps(config), encoding="utf-8")

    def mlapi(self, verb: str, *arguments: str) -> Done:
        """Runs a verb on the config."""
        common = [str(self.config), "--state", str(self.folder / "state"), *arguments]
        return self.run([sys.executable, "-m", "centralized_ml_api", verb, *common])

    def bootstrap(self, cdk: CdkCli, qualifier: str) -> None:
        """Bootstraps the account for the CDK, as whoever looks after it does."""
        app = ["--app", build_app_command("app.py"), "-c", "offline=true", "--no-notices"]
        app += ["--output", str(self.folder / "bootstrap.out")]
        arguments = ["bootstrap", f"aws://{ACCOUNT}/{REGION}", "--qualifier", qualifier, *app]
        named = cdk.environment()
        more = {key: named[key] for key in ("PATH", "JSII_NODE", "CDK_DISABLE_CLI_TELEMETRY")}
        done = self.run(cdk.command(arguments), MLAPI_JUMPSTART_MIRROR="", **more)
        assert done.returncode == 0, done.stdout + done.stderr

    def deploy(self, config: Config) -> Done:
        """Makes this the config and deploys it; fails with the whole log where that fails."""
        self.write(config)
        done = self.mlapi("deploy", "--yes", "--bootstrap")
        assert done.returncode == 0, done.stderr + self.cdk_log() + "\n".join(self.aws.complaints())
        return done

    def run(self, command: list[str], **more: str) -> Done:
        """Runs a command in the project's folder."""
        return subprocess.run(
            command,
            cwd=ROOT,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=_COMMAND_SECONDS,
        )

    def cdk_log(self) -> str:
        """All that the CDK CLI said so far."""
        log = self.folder / "state/cdk.log"
        return log.read_text(encoding="utf-8") if log.is_file() else ""
