# ruff: noqa: INP001  # a script, not a package
"""Installs what locks pin, into any environment: by uv, which takes seconds; where uv cannot, by pip.

Both take nothing but what the hashes allow. pip is what everybody has and may have set up: index,
certificates, proxy. uv reads none of these settings, so it is told them. Runs by the Python of `.venv`, with
the standard library alone.

    .venv/bin/python tools/install_lock.py requirements/local.txt --project
    .venv/bin/python tools/install_lock.py requirements/parity.txt --into .venv/parity
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Run = Callable[[Sequence[str], Mapping[str, str]], int]

ROOT = Path(__file__).resolve().parents[1]
UV = Path(sys.executable).parent / "uv"
UV_LOCK = ROOT / "requirements" / "uv.txt"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
LOCKED = ("--require-hashes", "--only-binary", ":all:")
UV_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
    "trusted-host": "UV_INSECURE_HOST",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
}
"""By pip's name of a setting, uv's variable for it.

Source: https://pip.pypa.io/en/stable/cli/pip_install/, https://docs.astral.sh/uv/reference/environment/.
"""


def build_uv_environment(pip_settings: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment in which uv finds packages as pip would. Pure.

    Args:
        pip_settings: What `pip config list` prints: `<where>.<name>='<value>'`, a line each.
        environment: The variables as they are; what is set for uv itself stays.
    """
    settings = {"UV_SYSTEM_CERTS": "true"}  # the certificates of the system, as pip takes them
    for line in pip_settings.splitlines():
        place, _, value = line.partition("=")
        if variable := UV_VARIABLES.get(place.rpartition(".")[2]):
            settings[variable] = value.strip("'\"")
    return {**settings, **environment}


def install(arguments: Sequence[str], into: Path, run: Run, pip_settings: str, uv: Path = UV) -> bool:
    """Installs into an environment by uv, or else by pip; returns whether one of them could.

    uv is fetched where there is none: 18 MB, and five seconds of a processor less than pip needs.

    Args:
        arguments: What both take: locks, packages and options.
        into: The folder of the environment, which exists.
        run: Runs a command in an environment, and returns its status.
        pip_settings: What `pip config list` prints.
        uv: Where uv is.
    """
    if not uv.exists():
        print("==> Fetching uv (18 MB), which installs the rest in seconds", flush=True)  # noqa: T201
    if uv.exists() or run([*PIP, "install", "--quiet", *LOCKED, "-r", str(UV_LOCK)], os.environ) == 0:
        by_uv = [str(uv), "pip", "install", "--python", str(into), *arguments]
        if run(by_uv, build_uv_environment(pip_settings, os.environ)) == 0:
            return True
        print("==> uv could not; trying pip", file=sys.stderr)  # noqa: T201  # a program's output
    return run([*PIP, "--python", str(into), "install", *arguments], os.environ) == 0


def run_command(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs a command in that environment, and returns its status."""
    return subprocess.run(argv, env=environment, check=False).returncode  # noqa: S603  # our own commands


def main(argv: Sequence[str] | None = None) -> int:
    """Installs the locks that are named, then the project if it is asked for; returns the status."""
    parser = argparse.ArgumentParser(description="Install what locks pin.")
    parser.add_argument("locks", nargs="+", metavar="LOCK")
    parser.add_argument("--into", type=Path, default=Path(sys.prefix), help="an environment; else this one")
    parser.add_argument("--project", action="store_true", help="the project itself, too, editable")
    parser.add_argument("--quiet", action="store_true", help="say nothing but errors")
    options = parser.parse_args(argv)
    settings = subprocess.run([*PIP, "config", "list"], capture_output=True, text=True, check=False).stdout  # noqa: S603  # our own command
    quiet = ["--quiet"] if options.quiet else []
    steps = [[*quiet, *LOCKED, *(text for lock in options.locks for text in ("-r", lock))]]
    if options.project:
        steps.append(["--quiet", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    return 0 if all(install(step, options.into, run_command, settings) for step in steps) else 1


if __name__ == "__main__":
    raise SystemExit(main())
